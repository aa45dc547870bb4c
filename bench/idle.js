// What `serve` costs while nothing happens, beside a bare Node that wakes once a second: processor time and memory over
// the same stretch of time. A connected portal is there, since what watches it is part of the cost.
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { openPortal } from "./portal.js";
import { startScript } from "./program.js";

/** Jobs with nothing to do rest for up to five minutes: a run of each belongs to what idleness costs. */
export const SECONDS = Number(process.env.BENCH_IDLE ?? 300);
/** What is done once after a start is over by then: V8 looks through each thread's memory, the last time after half a minute. */
export const SETTLE_MS = Math.min(45_000, SECONDS * 1_000);
const GOAL = { ratio: 2, memory: 100 };
const BARE = "setInterval(() => {}, 1000); process.once('SIGTERM', () => process.exit()); console.log('up')";

export async function idle({ log }) {
  const portal = await openPortal({ limit: "none", tier: "none" });
  try {
    await portal.connect();
    const serving = portal.start(["serve"]);
    const bare = startScript(["-e", BARE], { env: {} });
    await Promise.all([serving.line("stdout", /listening/), bare.line("stdout", /up/)]);
    const listening = cpuOf(serving.pid);
    await sleep(SETTLE_MS);
    const before = [cpuOf(serving.pid), cpuOf(bare.pid)];
    const settling = before[0] - listening;
    await sleep(SECONDS * 1_000);
    const [ours, theirs] = [cpuOf(serving.pid) - before[0], cpuOf(bare.pid) - before[1]];
    const memory = residentOf(serving.pid);
    await Promise.all([serving.stop(), bare.stop()]);
    log({ what: "idle", seconds: SECONDS, ours, theirs, settling, memory });
    return rowsOf({ ours, theirs, settling, memory });
  } finally {
    await portal.close();
  }
}

function rowsOf({ ours, theirs, settling, memory }) {
  const ratio = ours / theirs;
  const ms = (ran) => `${ran.toFixed(1)} ms`;
  return [
    {
      what: `idle: serve, processor time in ${SECONDS} s`,
      median: ms(ours),
      ratio: `${ratio.toFixed(2)} ×`,
      goal: `≤ ${GOAL.ratio} ×`,
      isHeld: ratio <= GOAL.ratio,
    },
    { what: "idle: a bare Node with a one-second timer", median: ms(theirs) },
    { what: `idle: serve, in the ${SETTLE_MS / 1_000} s after its start, before that`, median: ms(settling) },
    {
      what: "idle: serve, memory",
      median: `${Math.round(memory)} MB`,
      goal: `≤ ${GOAL.memory} MB`,
      isHeld: memory <= GOAL.memory,
      notes: "resident, what it shares with others included",
    },
  ];
}

/** All threads that live, in ms. */
export function cpuOf(pid) {
  const ranNs = readdirSync(`/proc/${pid}/task`).map((id) => ranFor(`/proc/${pid}/task/${id}/schedstat`));
  return ranNs.reduce((sum, ns) => sum + ns, 0) / 1e6;
}

function ranFor(file) {
  try {
    return Number(readFileSync(file, "utf8").split(" ")[0]);
  } catch {
    // It ended since it was listed.
    return 0;
  }
}

/** In MB. */
function residentOf(pid) {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1_024;
}
