// A whole portal's results through `serve` and `backfill`, and how long it took against the vendor's floor.
//
// Times are the emulator's: it notes when each call has been read, before it answers. The last answer comes one call's
// latency after the last of those; the floor holds the same latency, so neither gains by it.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import { openPortal } from "./portal.js";
import { median } from "./table.js";

export const CONTACTS = Number(process.env.BENCH_CONTACTS ?? 100_000);
export const LIMIT = { calls: 100, windowMs: 10_000, text: "100/10s", tier: "free" };
const PER_CALL = 100;
const CALLS = Math.ceil(CONTACTS / PER_CALL);
export const PATIENCE_MS = 60_000 + 3 * Math.ceil(CALLS / LIMIT.calls) * LIMIT.windowMs;

/** `envOf`: what the program is told beside, given where HubSpot's API is. */
export async function measureBackfill(envOf = () => ({})) {
  const portal = await openPortal({ limit: LIMIT.text, tier: LIMIT.tier });
  try {
    const env = await envOf(portal.hubspot);
    await portal.importInvites(0, CONTACTS);
    await portal.connect();
    await windowOver();
    const serving = portal.start(["serve"], { env, timeoutMs: PATIENCE_MS });
    await serving.line("stdout", /listening/);
    await portal.run(["backfill", "--yes", "--detach"], { env });
    await until(() => portal.countPushes("delivered") === CONTACTS, PATIENCE_MS);
    await serving.stop();
    const { batches, latencyMs } = readStore(join(portal.stateDir, "log.db"));
    return { batches, result: { ...figuresOf(await portal.upserts(), latencyMs), ...serving.memory } };
  } finally {
    await portal.close();
  }
}

/** Connecting made calls of its own; where all fits into one window they are in nobody's way. */
export async function windowOver() {
  if (CALLS > LIMIT.calls) await sleep(LIMIT.windowMs * 1.1);
}

/** Two rows: the time against the floor, and the 429s. `goal`: absent where there is none. */
export function rowsOf(what, results, goal) {
  const middle = (name) => median(results.map((result) => result[name]));
  const ratios = results.map(({ ratio }) => ratio.toFixed(3)).toSorted();
  // One is too many, in whichever round it came.
  const [ratio, throttled] = [middle("ratio"), Math.max(...results.map((result) => result.throttled))];
  return [
    {
      what,
      median: `${middle("seconds").toFixed(1)} s`,
      spread: `${ratios.at(0)}–${ratios.at(-1)} ×`,
      ratio: `${ratio.toFixed(3)} ×`,
      ...(goal ? { goal: `≤ ${goal} ×`, isHeld: ratio <= goal } : {}),
      notes: `the floor is ${middle("floorSeconds").toFixed(1)} s for ${CONTACTS} contacts in ${middle("calls")} calls at ${LIMIT.text}`,
    },
    {
      what: `${what}, 429s at most`,
      median: String(throttled),
      ...(goal ? { goal: "0", isHeld: throttled === 0 } : {}),
    },
  ];
}

export function figuresOf(upserts, latencyMs) {
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

async function until(isDone, patienceMs) {
  const deadline = Date.now() + patienceMs;
  while (!isDone()) {
    if (Date.now() > deadline) throw new Error("it takes too long");
    await sleep(500);
  }
}
