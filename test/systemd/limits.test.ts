/**
 * The service with all its limits, on a host that takes every one of them: what it is for works, and its sockets outlive
 * it. In this order, on one machine.
 */
import { once } from "node:events";
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Emulator, startEmulator } from "../../src/emulator/emulator.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { askByTls, issued } from "../certificates.ts";
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
  json,
  messages,
  ok,
  post,
  PROGRAM,
  property,
  run,
  setSecret,
  storedIds,
  type,
  UNIT_FILE,
} from "./program.ts";
import { askAdmin, type Pace, sendWebhooks } from "./senders.ts";
import { farAway } from "./vendors-far-away.ts";

const SMARTRECRUITERS_SECRET = "a secret of SmartRecruiters with 40 bytes";
/** Ten, in the long form. */
const RESTARTS = Number(process.env.JC_TEST_RESTARTS ?? 3);
const NEW_CONNECTIONS_A_SECOND = 500;
/** A restart of three seconds at that pace, and still room. */
const MOST_CONNECTIONS = 2_048;
const PACE: Pace = { perSecond: NEW_CONNECTIONS_A_SECOND, mostConnections: MOST_CONNECTIONS };
const ADMIN_CLIENTS = 4;
const ADMIN_SOCKET = "jc-integrations-admin.socket";

inBox("a service with all its limits", { file: import.meta.url, seconds: 300 }, declareTests);

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
    const sending = sendWebhooks(PACE, stop.signal);
    const asking = Promise.all(Array.from({ length: ADMIN_CLIENTS }, () => askAdmin(stop.signal)));
    for (let n = 0; n < RESTARTS; n += 1) {
      // An upgrade is a restart with another program in the same place.
      if (n === 1) installProgramAnew();
      await ok(run("systemctl", ["restart", "jc-integrations"]));
      await systemClock.sleep(500);
    }
    stop.abort();
    const { acknowledged, refused, others } = await sending;
    const admin = await asking;
    const answered = admin.reduce((sum, one) => sum + one.answered, 0);
    const refusedAdmin = admin.flatMap((one) => one.refused);
    tell(`${RESTARTS} restarts: ${acknowledged.length} acknowledged, ${refused.length} refused`);
    tell(`meanwhile at the admin listener: ${answered} answered, ${refusedAdmin.length} refused`);
    expect(refusedAdmin).toEqual([]);
    // Each of them at least once between two restarts.
    expect(answered).toBeGreaterThan(ADMIN_CLIENTS * RESTARTS);
    expect({ refused: refused.slice(0, 5), others: others.slice(0, 5) }).toEqual({ refused: [], others: [] });
    // Half a second of them lies between two restarts, however fast those are.
    expect(acknowledged.length).toBeGreaterThan((RESTARTS * NEW_CONNECTIONS_A_SECOND) / 2);
    const stored = storedIds();
    expect(acknowledged.filter((id) => !stored.has(id))).toEqual([]);
  });

  test("more connections than Node's own 511 wait while it takes none", async () => {
    const pid = Number(await property("MainPID"));
    process.kill(pid, "SIGSTOP");
    const waiting = Array.from({ length: 1_000 }, () => connect(8470, "127.0.0.1"));
    await until("all wait", () => waiting.every(({ readyState }) => readyState === "open"));
    process.kill(pid, "SIGCONT");
    for (const socket of waiting) socket.destroy();
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

  /** What install says then, typed; and what service status says after it. */
  const takeOver = async () => {
    const { out } = await ok(cli(PROGRAM, "service", "install", "--system"));
    const [, restart = ""] = /To take over the new ones: (.*)/.exec(out) ?? [];
    await ok(type(`sudo() { "$@"; }; ${restart}`));
    const { advice, sockets } = await json("service", "status");
    expect(advice).toEqual([]);
    return { restart, sockets };
  };
  const isAnswered = (port: number) =>
    ask(`http://127.0.0.1:${port}/healthz`).then(
      ({ status }) => status === 200,
      () => false,
    );
  const serveWith = (...lines: string[]) => {
    const text = readFileSync(CONFIG, "utf8").replace(/\[serve\][^[]*/, `[serve]\n${lines.join("\n")}\n`);
    writeFileSync(CONFIG, text);
  };

  test("an admin listener that is not wanted any more leaves no socket, and is exit 2 until it is taken back", async () => {
    rmSync("/etc/jc-integrations/environment");
    serveWith('admin_listen = "none"');
    const status = await json("service", "status");
    expect(status.advice).toEqual(
      expect.arrayContaining([
        expect.stringContaining(`${ADMIN_SOCKET} is not as this program writes it: sudo jc-integrations`),
      ]),
    );
    expect(await run("systemctl", ["restart", "jc-integrations"])).toMatchObject({ code: 1 });
    expect(await property("ExecMainStatus")).toBe("2");
    const said = "systemd listens on 127.0.0.1:8471 for us, and serve.admin_listen says none";
    await until("it is said", async () => (await messages()).join("\n").includes(said));
    const { sockets } = await takeOver();
    expect(sockets).toEqual([
      { unit: "jc-integrations.socket", address: "127.0.0.1:8470", state: "running" },
    ]);
    expect(existsSync(`/etc/systemd/system/${ADMIN_SOCKET}`)).toBe(false);
    expect([await isAnswered(8470), await isAnswered(8471)]).toEqual([true, false]);
  });

  test("it comes back where it is set, and moves with the restart that install names", async () => {
    serveWith('admin_listen = "127.0.0.1:8473"');
    await takeOver();
    expect(await isAnswered(8473)).toBe(true);
    serveWith();
    const { restart } = await takeOver();
    expect(restart).toContain(`stop ${ADMIN_SOCKET} jc-integrations && `);
    expect([await isAnswered(8471), await isAnswered(8473)]).toEqual([true, false]);
  });

  test("its default port in other hands keeps no service from being installed and started; a chosen one does", async () => {
    await ok(cli(PROGRAM, "service", "uninstall"));
    expect(readdirSync("/etc/systemd/system").filter((name) => name.startsWith("jc-"))).toEqual([]);
    expect([await isAnswered(8470), await isAnswered(8471)]).toEqual([false, false]);
    const other = createServer().listen(8471, "127.0.0.1");
    await once(other, "listening");
    await ok(cli(PROGRAM, "service", "install", "--system"));
    expect(await isReady()).toBe(true);
    expect((await messages()).join("\n")).toContain("no metrics are served: 127.0.0.1:8471 is in use");
    expect(await json("service", "status")).toMatchObject({
      sockets: [{ state: "running" }, { unit: ADMIN_SOCKET, state: "failed" }],
    });
    serveWith('admin_listen = "127.0.0.1:8471"');
    expect(await run("systemctl", ["restart", "jc-integrations"])).toMatchObject({ code: 1 });
    expect(await property("ExecMainStatus")).toBe("2");
    other.close();
    await ok(run("systemctl", ["restart", "jc-integrations"]));
    expect(await isAnswered(8471)).toBe(true);
    expect(await json("service", "status")).toMatchObject({ sockets: [{}, { state: "running" }] });
  });

  test("its default port may be the one that webhooks come to", async () => {
    serveWith('listen = "127.0.0.1:8471"');
    const { sockets } = await takeOver();
    expect(sockets).toEqual([
      { unit: "jc-integrations.socket", address: "127.0.0.1:8471", state: "running" },
    ]);
    expect((await messages()).join("\n")).toContain("no metrics are served: serve.listen has the port of");
    expect(await isAnswered(8471)).toBe(true);
  });

  test("both sockets speak TLS", async () => {
    const pair = issued();
    const directory = "/etc/jc-integrations";
    for (const [from, to] of [
      [pair.certFile, "cert.pem"],
      [pair.keyFile, "key.pem"],
    ])
      await ok(type(`install --owner=jc-integrations --mode=0400 '${from}' ${directory}/${to}`));
    serveWith(`tls_cert = "${directory}/cert.pem"`, `tls_key = "${directory}/key.pem"`);
    const { sockets } = await takeOver();
    expect(sockets).toMatchObject([{ state: "running" }, { state: "running" }]);
    for (const port of [8470, 8471]) {
      const { status, protocol } = await askByTls(`https://127.0.0.1:${port}/healthz`, { ca: pair.ca });
      expect([status, protocol]).toEqual([200, "TLSv1.3"]);
    }
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
max_connections = ${MOST_CONNECTIONS}
[network]
ca_file = "ca.pem"
[vault]
backend = "sealed"
`;
}
