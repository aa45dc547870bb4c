/**
 * The service with all its limits, on a host that takes every one of them: what it is for works, and its sockets outlive
 * it. In this order, on one machine.
 */
import { chmodSync, cpSync, readFileSync, writeFileSync } from "node:fs";
import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Emulator, startEmulator } from "../../src/emulator/emulator.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { issued } from "../certificates.ts";
import { ask } from "../daemon/serving.ts";
import { emulated } from "../emulated.ts";
import { until, WEBHOOK_SECRET } from "../world.ts";
import { example } from "../vendors/smartrecruiters/example.ts";
import { inBox, tell } from "./box.ts";
import {
  cli,
  CONFIG,
  connectHubspot,
  contacts,
  installProgram,
  isReady,
  messages,
  ok,
  post,
  PROGRAM,
  property,
  run,
  setSecret,
  type,
  UNIT_FILE,
} from "./program.ts";
import { sendWebhooks } from "./senders.ts";
import { farAway } from "./vendors-far-away.ts";

const SMARTRECRUITERS_SECRET = "a secret of SmartRecruiters with 40 bytes";
/** Ten, in the long form. */
const RESTARTS = Number(process.env.JC_TEST_RESTARTS ?? 3);
const NEW_CONNECTIONS_A_SECOND = 500;

inBox("a service with all its limits", { file: import.meta.url, seconds: 120 }, declareTests);

function declareTests() {
  let emulator: Emulator;
  beforeAll(async () => {
    emulator = await startEmulator({ port: 0, autoApprove: true, hubspotLimit: "none", clock: systemClock });
    installProgram(PROGRAM);
  });
  afterAll(() => emulator.close());

  test("a host that lets a service have users of its own is found out by install", async () => {
    await ok(cli(PROGRAM, "service", "install", "--system", "--org", "acme"));
    expect(readFileSync(UNIT_FILE, "utf8")).toMatch(/^PrivateUsers=yes$/m);
    const { out } = await ok(run("systemd-analyze", ["security", "--no-pager", "jc-integrations"]));
    const exposure = Number(/Overall exposure level .*: ([\d.]+)/.exec(out)?.[1]);
    tell(`systemd-analyze security: ${exposure}`);
    expect(exposure).toBeLessThanOrEqual(1.1);
  });

  test("webhooks of both vendors, a delivery by name and TLS, a reload and an alert through a proxy", async () => {
    const pair = issued({ names: ["vendor.test"] });
    const far = await farAway(emulator.url, pair);
    cpSync(pair.certFile, "/etc/jc-integrations/ca.pem");
    chmodSync("/etc/jc-integrations/ca.pem", 0o644);
    writeFileSync(CONFIG, configuration(emulator, far.base));
    await setSecret("jobcannon.webhook-secret", WEBHOOK_SECRET);
    await setSecret("smartrecruiters.webhook-secret", SMARTRECRUITERS_SECRET);
    await setSecret("hubspot.client-secret", "a secret of the client");
    await setSecret("telegram.bot-token", "123456:a-token-of-the-bot");
    await ok(run("systemctl", ["restart", "jc-integrations"]));
    await connectHubspot();

    expect(await post("by-name@example.org")).toBe(202);
    await until("it is delivered", async () => (await contacts(emulator)).includes("by-name@example.org"));
    expect([...far.names]).toContain("vendor.test");
    expect(await postConfirmation()).toBe(202);

    await ok(run("systemctl", ["reload", "jc-integrations"]));
    await until("it is reloaded", async () =>
      (await messages()).includes("log level and secrets are read anew"),
    );

    writeFileSync("/etc/jc-integrations/environment", `HTTPS_PROXY=${far.proxy}\n`);
    await ok(run("systemctl", ["restart", "jc-integrations"]));
    await emulated(emulator).hubspot.fault({ revoked: true });
    expect(await post("revoked@example.org")).toBe(202);
    await until("the owner is told", async () => (await emulated(emulator).telegram.messages()).length > 0);
    expect([...far.tunnels]).toEqual([expect.stringMatching(/^vendor\.test:/)]);
    expect(await property("NRestarts")).toBe("0");
  });

  test(`${RESTARTS} restarts under ${NEW_CONNECTIONS_A_SECOND} new connections a second refuse none, and lose nothing acknowledged`, async () => {
    const stop = new AbortController();
    const sending = sendWebhooks(NEW_CONNECTIONS_A_SECOND, stop.signal);
    for (let n = 0; n < RESTARTS; n += 1) {
      // An upgrade is a restart with another program in the same place.
      if (n === 1) installProgramAnew();
      await ok(run("systemctl", ["restart", "jc-integrations"]));
      await systemClock.sleep(500);
    }
    stop.abort();
    const { acknowledged, refused, others } = await sending;
    tell(`${RESTARTS} restarts: ${acknowledged.length} acknowledged, ${refused.length} refused`);
    expect({ refused: refused.slice(0, 5), others: others.slice(0, 5) }).toEqual({ refused: [], others: [] });
    // Half a second of them lies between two restarts, however fast those are.
    expect(acknowledged.length).toBeGreaterThan((RESTARTS * NEW_CONNECTIONS_A_SECOND) / 2);
    const stored = storedIds();
    expect(acknowledged.filter((id) => !stored.has(id))).toEqual([]);
  });

  test("what arrives while it cannot start waits, and is taken when it can", async () => {
    const config = readFileSync(CONFIG, "utf8");
    writeFileSync(CONFIG, `${config}\n[server]\nlisten = "mistyped"\n`);
    expect(await run("systemctl", ["restart", "jc-integrations"])).toMatchObject({ code: 1 });
    const waiting = post("waits-for-the-start@example.org");
    await until("it fell again", async () => Number(await property("NRestarts")) > 1);
    writeFileSync(CONFIG, config);
    expect(await waiting).toBe(202);
  });

  test("a socket that listens elsewhere than the configuration says is exit 2, and install says what to type", async () => {
    writeFileSync(
      CONFIG,
      readFileSync(CONFIG, "utf8").replace("[serve]", '[serve]\nlisten = "127.0.0.1:8475"'),
    );
    expect(await run("systemctl", ["restart", "jc-integrations"])).toMatchObject({ code: 1 });
    expect(await property("ExecMainStatus")).toBe("2");
    expect((await messages()).join("\n")).toContain(
      "systemd listens on 127.0.0.1:8470 for us, and serve.listen says 127.0.0.1:8475",
    );
    const { out } = await ok(cli(PROGRAM, "service", "install", "--system"));
    const [, restart = ""] = /To take over the new ones: (.*)/.exec(out) ?? [];
    await ok(type(`sudo() { "$@"; }; ${restart}`));
    expect((await ask("http://127.0.0.1:8475/healthz")).status).toBe(200);
    expect(await isReady()).toBe(false);

    writeFileSync("/etc/jc-integrations/environment", 'JC_SERVE_LISTEN="127.0.0.1:8476"\n');
    await ok(cli(PROGRAM, "service", "install", "--system"));
    await ok(type(`sudo() { "$@"; }; ${restart}`));
    expect((await ask("http://127.0.0.1:8476/healthz")).status).toBe(200);
  });
}

/** A webhook of SmartRecruiters. */
async function postConfirmation(): Promise<number> {
  const { source } = example;
  if (!source) throw new Error("SmartRecruiters sends webhooks");
  const [id, at, secret] = ["confirmation-1", Date.now(), SMARTRECRUITERS_SECRET];
  const body = JSON.stringify(source.event({ id, at, org: "acme" }));
  const signed = source.headers(body, { secret, id, at });
  const answer = await ask("http://127.0.0.1:8470/smartrecruiters/webhooks", {
    method: "POST",
    headers: { "content-type": "application/json", ...signed },
    body,
  });
  return answer.status;
}

/** The same build, every file of it written anew. */
function installProgramAnew(): void {
  for (const part of ["bin", "dist"])
    cpSync(`${PROGRAM}/${part}`, `${PROGRAM}/${part}.new`, { recursive: true });
  for (const part of ["bin", "dist"])
    cpSync(`${PROGRAM}/${part}.new`, `${PROGRAM}/${part}`, { recursive: true, force: true });
}

function storedIds(): Set<string> {
  const db = new Database("/var/lib/jc-integrations/log.db", { readonly: true });
  try {
    return new Set(db.prepare<[], string>("SELECT event_id FROM events").pluck().all());
  } finally {
    db.close();
  }
}

function configuration({ hubspot }: Emulator, far: string): string {
  return `org = "acme"
[hubspot]
client_id = "app-1"
api_base = "${far}/hubspot"
authorize_url = "${hubspot}/oauth/authorize"
tier = "paid"
[alerts.telegram]
chat_id = "42"
api_base = "${far}/telegram"
[serve]
max_connections = 2048
[network]
ca_file = "ca.pem"
[vault]
backend = "sealed"
`;
}
