// Does it stay what it is as the log grows? Backfill's cost for each invite, its memory, and how long `status` takes,
// from ten thousand invites to a million. One is imported, the others are its copies in the program's own tables.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fillLog } from "./fill.js";
import { openPortal } from "./portal.js";
import { startScript } from "./program.js";
import { median } from "./table.js";

const SIZES = (process.env.BENCH_SCALE ?? "10000,100000,1000000").split(",").map(Number);
/** How many of them are delivered, too, before the rest is only queued: half of a small log. */
const MOST_DELIVERED = Number(process.env.BENCH_DELIVERED ?? 50_000);
const DELIVERING_MS = 180_000;
const STATUS_ROUNDS = Number(process.env.BENCH_ROUNDS ?? 11);
const GOAL = { memoryMb: 200, status: 2, growth: 1.5 };

export async function scale({ log }) {
  const vendor = startScript([fileURLToPath(new URL("instant-vendor.js", import.meta.url))], { env: {} });
  try {
    const url = await vendor.line("stdout", /./);
    const measured = [];
    for (const size of SIZES) {
      const result = await measure(size, url);
      measured.push(result);
      log({ what: "scale", ...result });
    }
    return measured.flatMap((result) => rowsOf(result, measured[0]));
  } finally {
    await vendor.stop().catch(() => {});
  }
}

async function measure(size, vendorUrl) {
  const portal = await openPortal({ limit: "none", tier: "none" });
  const env = { JC_HUBSPOT_API_BASE: vendorUrl };
  const delivered = Math.min(MOST_DELIVERED, Math.floor(size / 2));
  const deliver = (limit) =>
    portal.run(["backfill", "--yes", "--limit", String(limit)], { env, timeoutMs: DELIVERING_MS });
  try {
    // `status` creates no store, and without one has nothing to look at.
    await portal.run(["run", "retry"]);
    const emptyStatusMs = await statusMs(portal);
    await portal.importInvites(0, 1);
    fillLog(join(portal.stateDir, "log.db"), size);
    await portal.connect();
    // What a run costs before its second contact: the command's start, and the preview, which counts the whole log.
    const first = await deliver(1);
    const delivering = await deliver(delivered);
    const queueing = await portal.run(["backfill", "--yes", "--detach"], { env });
    const { queued } = JSON.parse(queueing.stdout);
    const rest = size - delivered - 1;
    if (queued !== rest) throw new Error(`${queued} queued of ${rest}`);
    const fullStatusMs = await statusMs(portal);
    return {
      size,
      delivered,
      firstMs: first.seconds * 1e3,
      deliveringMicros: ((delivering.seconds - first.seconds) * 1e6) / delivered,
      queueingMicros: (queueing.seconds * 1e6) / queued,
      deliveringMemory: delivering.memory,
      queueingMemory: queueing.memory,
      emptyStatusMs,
      fullStatusMs,
    };
  } finally {
    await portal.close();
  }
}

export async function statusMs(portal, ...flags) {
  const times = [];
  for (let round = 0; round < STATUS_ROUNDS; round++)
    times.push((await portal.run(["status", ...flags])).seconds * 1_000);
  return median(times);
}

function rowsOf(result, smallest) {
  const { size, delivered, firstMs, deliveringMicros, queueingMicros } = result;
  const name = `scale ${size.toLocaleString("en-US")}`;
  const peak = Math.max(result.queueingMemory.peak, result.deliveringMemory.peak);
  const ownOf = ({ queueingMemory, deliveringMemory }) => Math.max(queueingMemory.own, deliveringMemory.own);
  const ofStatus = result.fullStatusMs / result.emptyStatusMs;
  /** What must not grow with the log. */
  const flat = (value, base) =>
    result === smallest
      ? {}
      : {
          ratio: `${(value / base).toFixed(2)} ×`,
          goal: `≤ ${GOAL.growth} ×`,
          isHeld: value <= GOAL.growth * base,
        };
  return [
    {
      what: `${name}: backfill, queueing`,
      median: `${queueingMicros.toFixed(0)} µs/invite`,
      ...flat(queueingMicros, smallest.queueingMicros),
      notes: "the command's start included",
    },
    {
      what: `${name}: backfill, delivering ${delivered}`,
      median: `${deliveringMicros.toFixed(0)} µs/invite`,
      ...flat(deliveringMicros, smallest.deliveringMicros),
      notes: `beside ${firstMs.toFixed(0)} ms for the start, the preview and one contact`,
    },
    {
      what: `${name}: backfill, memory`,
      median: `${peak.toFixed(0)} MB`,
      goal: `< ${GOAL.memoryMb} MB`,
      isHeld: peak < GOAL.memoryMb,
      notes: "what maps the store's file included",
    },
    {
      what: `${name}: backfill, memory of its own`,
      median: `${ownOf(result).toFixed(0)} MB`,
      ...flat(ownOf(result), ownOf(smallest)),
      notes: `queueing ${result.queueingMemory.own.toFixed(0)} MB, delivering ${result.deliveringMemory.own.toFixed(0)} MB`,
    },
    {
      what: `${name}: status`,
      median: `${result.fullStatusMs.toFixed(0)} ms`,
      ratio: `${ofStatus.toFixed(2)} ×`,
      goal: `< ${GOAL.status} ×`,
      isHeld: ofStatus < GOAL.status,
      notes: `${result.emptyStatusMs.toFixed(0)} ms on an empty store`,
    },
  ];
}
