/** What a stranger's requests cost the built `serve`, in processor time: a busy machine changes nothing about that. */
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { VERSION } from "../../src/shared/version.ts";
import { secret } from "../../src/shared/secret.ts";
import { openVault } from "../../src/vault/open.ts";
import { launchService, type Service } from "../end-to-end/program.ts";
import { leastOf } from "../least.ts";
import { freshWorld, until, type World } from "../world.ts";
import { cpuMs, FORGED, forgedOfJobcannon, open, visit } from "./stranger.ts";

const SMARTRECRUITERS = "/smartrecruiters/webhooks";
const JOBCANNON = "/jobcannon/events";
const MOST_CPU_MS = 5;
const TICK_MS = 10;

/** Each of so many orgs has a webhook secret of its own, of both sources. */
async function servingOrgs(n: number): Promise<{ world: World; service: Service }> {
  const world = await freshWorld();
  const vault = openVault({
    backend: "sealed",
    stateDir: world.stateDir,
    keyFile: join(world.dir, "vault.key"),
    credentialsDirectory: null,
    host: { platform: process.platform, nodePath: process.execPath, env: {} },
    childUrl: new URL("../../dist/keychain-child.js", import.meta.url),
    clock: world.clock,
  });
  const items = Array.from({ length: n }, (_, index) => [
    [
      `secret/org-${index}/smartrecruiters.webhook-secret/1`,
      secret(randomBytes(24).toString("hex")),
    ] as const,
    [
      `secret/org-${index}/jobcannon.webhook-secret/1`,
      secret(`whsec_${randomBytes(32).toString("base64")}`),
    ] as const,
  ]);
  await vault.write(new Map(items.flat()));
  await vault.close();
  return { world, service: await launchService(world) };
}

function nested(depth: number, zeros: number): string {
  return "[".repeat(depth) + Array(zeros).fill(0).join(",") + "]".repeat(depth);
}

/** Of one request, in milliseconds of a calm machine; the compiler adds to it in the first rounds. */
async function leastCost(service: Service, ask: (n: number) => Promise<void>): Promise<number> {
  const times = 30;
  let asked = 0;
  let slowness = Number.POSITIVE_INFINITY;
  const cost = async () => {
    slowness = Math.min(slowness, slownessNow());
    const before = cpuMs(service);
    for (let n = 0; n < times; n += 1) {
      asked += 1;
      await ask(asked);
    }
    return (cpuMs(service) - before) / times / slowness;
  };
  return await leastOf(MOST_CPU_MS, cost, 20);
}

/** Of the machine by which the promise is measured, to hash a mebibyte; its neighbours make ours slower than that. */
const CALM_HASH_MS = 0.8;

/** How many times the processor time of a calm machine all work costs right now: at least once. */
function slownessNow(): number {
  const times = 20;
  const before = process.cpuUsage();
  for (let n = 0; n < times; n += 1) createHash("sha256").update(MEBIBYTE).digest();
  const { user, system } = process.cpuUsage(before);
  return Math.max(1, (user + system) / 1_000 / times / CALM_HASH_MS);
}

const MEBIBYTE = Buffer.alloc(1024 * 1024, "x");

test("with 20 secrets no request that nobody signed costs more than 5 ms of processor time", async () => {
  const { service } = await servingOrgs(20);
  const theirs = { "content-type": "application/json", "x-smartrecruiters-signature": FORGED };
  const ours = forgedOfJobcannon();
  const shapes: [what: string, path: string, headers: Record<string, string>, body: string][] = [
    ["6 KB of brackets", SMARTRECRUITERS, theirs, nested(2_000, 1_000)],
    ["20 KB of brackets", SMARTRECRUITERS, theirs, nested(2_000, 8_000)],
    ["63 KB of brackets", SMARTRECRUITERS, theirs, nested(2_000, 28_000)],
    ["what is explained at most", SMARTRECRUITERS, theirs, nested(32, 4_000)],
    ["64 KiB", SMARTRECRUITERS, theirs, "x".repeat(64 * 1024)],
    ["64 KiB and a byte", SMARTRECRUITERS, theirs, "x".repeat(64 * 1024 + 1)],
    ["1 MiB", JOBCANNON, ours, "x".repeat(1024 * 1024)],
    ["64 KiB of JobCannon", JOBCANNON, ours, "x".repeat(64 * 1024)],
    [
      "300 signatures",
      JOBCANNON,
      { ...ours, "webhook-signature": Array(300).fill(ours["webhook-signature"]).join(" ") },
      "{}",
    ],
    ["no signature", SMARTRECRUITERS, { "content-type": "application/json" }, nested(2_000, 8_000)],
  ];
  const costs: Record<string, number> = {};
  for (const [what, path, headers, body] of shapes)
    costs[what] = await leastCost(service, async () => {
      const answer = await fetch(service.url + path, { method: "POST", headers, body });
      expect({ what, isRefused: answer.status >= 400 }).toEqual({ what, isRefused: true });
      await answer.arrayBuffer();
    });
  costs["a consent that nobody asked for"] = await leastCost(service, async (n) => {
    await visit(`${service.url}/hubspot/oauth-callback?code=a&state=b${n}`);
  });
  const tooDear = Object.entries(costs).filter(([, ms]) => ms > MOST_CPU_MS);
  expect(tooDear).toEqual([]);
});

test("with 1,000 secrets /healthz waits for no more than 50 ms of others' work", async () => {
  const { service } = await servingOrgs(1_000);
  const flood = fileURLToPath(new URL("flood.js", import.meta.url));
  const stranger = spawn(process.execPath, [flood, service.url, SMARTRECRUITERS, "16", String(64 * 1024)]);
  onTestFinished(() => void stranger.kill("SIGKILL"));
  const idle = cpuMs(service);
  await until("the stranger is at work", () => cpuMs(service) - idle > 500);
  const longestWait = async () => {
    const waits: number[] = [];
    for (let n = 0; n < 40; n += 1) {
      const [before, heldUp] = [cpuMs(service), heldUpMs()];
      expect(await fetch(`${service.url}/healthz`).then((answer) => answer.text())).toContain("ok");
      waits.push(cpuMs(service) - before - (heldUpMs() - heldUp));
    }
    return Math.max(...waits);
  };
  const most = 50 + TICK_MS;
  expect(await leastOf(most, longestWait)).toBeLessThanOrEqual(most);
});

/** How long this process was ready to go on and had no processor, so far: the service works on meanwhile. */
function heldUpMs(): number {
  const path = `/proc/self/task/${process.pid}/schedstat`;
  return existsSync(path) ? Number(readFileSync(path, "utf8").split(" ")[1]) / 1e6 : 0;
}

test("a journal of a line a second is all that strangers can fill", async () => {
  const { service } = await servingOrgs(2);
  const begunAt = performance.now();
  const headers = { "content-type": "application/json", "x-smartrecruiters-signature": FORGED };
  for (let n = 0; n < 150; n += 1) {
    await fetch(service.url + SMARTRECRUITERS, { method: "POST", headers, body: "{}" });
    expect(await visit(`${service.url}/hubspot/oauth-callback?code=a&state=b${n}`)).toBe(303);
  }
  await until("both are told", () => new Set(toldOf(service)).size >= 2);
  const seconds = Math.ceil((performance.now() - begunAt) / 1_000);
  expect(toldOf(service).length).toBeLessThanOrEqual(2 * (seconds + 1));
});

test("strangers are told no path and no version", async () => {
  const { world, service } = await servingOrgs(1);
  const asked = [
    "/",
    "/healthz",
    "/readyz",
    "/nothing",
    "/hubspot/oauth-callback?code=a&state=b",
    JOBCANNON,
    "/%00",
  ];
  for (const path of asked) {
    const line = open(service, `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    await line.closed;
    const said = line.heard();
    for (const word of [world.dir, "/src/", "node_modules", "Node", VERSION, process.version])
      expect({ path, said }).toEqual({ path, said: expect.not.stringContaining(word) });
  }
});

/** What the journal says of refusals: of webhooks or of consents. */
function toldOf(service: Service): string[] {
  return service.err().match(/(?:webhooks|consent) refused/g) ?? [];
}
