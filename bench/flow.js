// A whole portal's results against the vendor's floor: how long a backfill takes under HubSpot's limit, beside
// HubSpot's own client doing the same upserts.
//
// Times are the emulator's: it notes when each call has been read, before it answers. The last answer comes one call's
// latency after the last of those; the floor holds the same latency, so neither gains by it.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { openPortal, visit } from "./portal.js";
import { startScript } from "./program.js";
import { median } from "./table.js";

const CONTACTS = Number(process.env.BENCH_CONTACTS ?? 100_000);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const LIMIT = { calls: 100, windowMs: 10_000, text: "100/10s", tier: "free" };
const PER_CALL = 100;
const CALLS = Math.ceil(CONTACTS / PER_CALL);
const GOAL = { ratio: 1.02, throttled: 0 };
const PATIENCE_MS = 60_000 + 3 * Math.ceil(CALLS / LIMIT.calls) * LIMIT.windowMs;

export async function flow({ log }) {
  const systems = [
    { what: "backfill through serve", results: [] },
    { what: "@hubspot/api-client", results: [] },
  ];
  for (let round = 0; round < ROUNDS; round++) {
    const ours = await measureOurs();
    log({ what: systems[0].what, round, ...ours.result });
    systems[0].results.push(ours.result);
    const theirs = await measureTheirs(ours.batches, ours.result.latencyMs);
    log({ what: systems[1].what, round, ...theirs });
    systems[1].results.push(theirs);
  }
  return systems.flatMap(({ what, results }, index) => {
    const middle = (name) => median(results.map((result) => result[name]));
    const ratios = results.map(({ ratio }) => ratio.toFixed(3)).toSorted();
    // One is too many, in whichever round it came.
    const [ratio, throttled] = [middle("ratio"), Math.max(...results.map((result) => result.throttled))];
    const held = index === 0;
    return [
      {
        what: `flow: ${what}`,
        median: `${middle("seconds").toFixed(1)} s`,
        spread: `${ratios.at(0)}–${ratios.at(-1)} ×`,
        ratio: `${ratio.toFixed(3)} ×`,
        ...(held ? { goal: `≤ ${GOAL.ratio} ×`, isHeld: ratio <= GOAL.ratio } : {}),
        notes: `the floor is ${middle("floorSeconds").toFixed(1)} s for ${CONTACTS} contacts in ${middle("calls")} calls at ${LIMIT.text}`,
      },
      {
        what: `flow: ${what}, 429s at most`,
        median: String(throttled),
        ...(held ? { goal: String(GOAL.throttled), isHeld: throttled <= GOAL.throttled } : {}),
      },
    ];
  });
}

async function measureOurs() {
  const portal = await openPortal({ limit: LIMIT.text, tier: LIMIT.tier });
  try {
    await portal.importInvites(0, CONTACTS);
    await portal.connect();
    // Connecting made calls of its own.
    await sleep(LIMIT.windowMs * 1.1);
    const serving = portal.start(["serve"], { timeoutMs: PATIENCE_MS });
    await serving.line("stdout", /listening/);
    await portal.run(["backfill", "--yes", "--detach"]);
    await until(() => portal.countPushes("delivered") === CONTACTS, PATIENCE_MS);
    await serving.stop();
    const { batches, latencyMs } = readStore(join(portal.stateDir, "log.db"));
    return { batches, result: { ...figuresOf(await portal.upserts(), latencyMs), ...serving.memory } };
  } finally {
    await portal.close();
  }
}

async function measureTheirs(batches, latencyMs) {
  const portal = await openPortal({ limit: LIMIT.text, tier: LIMIT.tier });
  const file = join(portal.stateDir, "batches.json");
  try {
    // For the properties.
    await portal.connect();
    writeFileSync(file, JSON.stringify(batches));
    const token = await tokenOf(portal.hubspot);
    await sleep(LIMIT.windowMs * 1.1);
    const client = fileURLToPath(new URL("official-client.js", import.meta.url));
    const argv = [client, portal.hubspot, token, file];
    const { stdout, memory } = await startScript(argv, { env: {}, timeoutMs: PATIENCE_MS }).finished;
    const { confirmed } = JSON.parse(stdout);
    if (confirmed !== CONTACTS) throw new Error(`${confirmed} of ${CONTACTS} contacts were confirmed`);
    return { ...figuresOf(await portal.upserts(), latencyMs), ...memory };
  } finally {
    rmSync(file, { force: true });
    await portal.close();
  }
}

function figuresOf(upserts, latencyMs) {
  const times = upserts.map(({ at }) => at);
  const seconds = (Math.max(...times) - Math.min(...times) + latencyMs) / 1_000;
  const floorSeconds = ((Math.ceil(CALLS / LIMIT.calls) - 1) * LIMIT.windowMs + latencyMs) / 1_000;
  return {
    seconds,
    floorSeconds,
    ratio: seconds / floorSeconds,
    calls: upserts.length,
    throttled: upserts.filter(({ status }) => status === 429).length,
    latencyMs,
    // When each window's first and last call came: where time is lost, it shows here.
    windows: Array.from({ length: Math.ceil(times.length / LIMIT.calls) }, (_, n) =>
      [times[n * LIMIT.calls], times[Math.min((n + 1) * LIMIT.calls, times.length) - 1]].map(
        (at) => at - times[0],
      ),
    ),
  };
}

/** What was delivered, as the same inputs in the same batches, and the middle of the calls' latencies. */
function readStore(file) {
  const db = new Database(file, { readonly: true });
  const inputs = db
    .prepare("SELECT id, subject, version, projection FROM pushes ORDER BY id")
    .all()
    .map(({ id, subject, version, projection }) => ({
      id: subject,
      idProperty: "email",
      properties: JSON.parse(projection),
      objectWriteTraceId: `${id}-${version}`,
    }));
  const latencyMs = median(db.prepare("SELECT duration_ms FROM attempts").pluck().all());
  db.close();
  const batches = Array.from({ length: CALLS }, (_, n) => inputs.slice(n * PER_CALL, (n + 1) * PER_CALL));
  return { batches, latencyMs };
}

/** An access token for the portal, as an app of one's own would get it. */
async function tokenOf(hubspot) {
  const redirectUri = "http://localhost/done";
  const query = new URLSearchParams({
    client_id: "bench",
    redirect_uri: redirectUri,
    scope: "oauth crm.objects.contacts.read crm.objects.contacts.write",
    state: "bench",
  });
  const landed = await visit(`${hubspot}/oauth/authorize?${query}`, redirectUri);
  const answer = await fetch(`${hubspot}/oauth/v3/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: "bench",
      client_secret: "bench",
      redirect_uri: redirectUri,
      code: new URL(landed).searchParams.get("code"),
    }),
  });
  return (await answer.json()).access_token;
}

async function until(isDone, patienceMs) {
  const deadline = Date.now() + patienceMs;
  while (!isDone()) {
    if (Date.now() > deadline) throw new Error("it takes too long");
    await sleep(500);
  }
}
