// Does it stay what it is as the log grows? Backfill's cost for each invite, its memory, and how long `status` takes,
// from ten thousand invites to a million. One is imported, the others are its copies in the program's own tables.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fillLog } from "./fill.js";
import { openPortal } from "./portal.js";
import { startScript } from "./program.js";
import { median } from "./table.js";

const SIZES = (process.env.BENCH_SCALE ?? "10000,100000,1000000").split(",").map(Number);
/** How many of them are delivered, too, before the rest is only queued. */
const DELIVERED = 5_000;
const STATUS_ROUNDS = 11;
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
  try {
    const emptyStatusMs = await statusMs(portal);
    await portal.importInvites(0, 1);
    fillLog(join(portal.stateDir, "log.db"), size);
    await portal.connect();
    const delivering = await portal.run(["backfill", "--yes", "--limit", String(DELIVERED)], { env });
    const queueing = await portal.run(["backfill", "--yes", "--detach"], { env });
    const { queued } = JSON.parse(queueing.stdout);
    if (queued !== size - DELIVERED) throw new Error(`${queued} queued of ${size - DELIVERED}`);
    const fullStatusMs = await statusMs(portal);
    return {
      size,
      deliveringMicros: (delivering.seconds * 1e6) / DELIVERED,
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

async function statusMs(portal) {
  const times = [];
  for (let round = 0; round < STATUS_ROUNDS; round++)
    times.push((await portal.run(["status"])).seconds * 1_000);
  return median(times);
}

function rowsOf(result, smallest) {
  const { size, queueingMicros, deliveringMicros, queueingMemory, deliveringMemory } = result;
  const name = `scale ${size.toLocaleString("en-US")}`;
  const against = (value, base) => `${(value / base).toFixed(2)} ×`;
  const peak = Math.max(queueingMemory.peak, deliveringMemory.peak);
  const own = Math.max(queueingMemory.own, deliveringMemory.own);
  const ofStatus = result.fullStatusMs / result.emptyStatusMs;
  const isFirst = result === smallest;
  return [
    {
      what: `${name}: backfill, queueing`,
      median: `${queueingMicros.toFixed(0)} µs/invite`,
      ...(isFirst ? {} : { ratio: against(queueingMicros, smallest.queueingMicros) }),
      ...(isFirst
        ? {}
        : { goal: `≤ ${GOAL.growth} ×`, isHeld: queueingMicros <= GOAL.growth * smallest.queueingMicros }),
      notes: "the command's start included",
    },
    {
      what: `${name}: backfill, delivering ${DELIVERED}`,
      median: `${deliveringMicros.toFixed(0)} µs/invite`,
      ...(isFirst ? {} : { ratio: against(deliveringMicros, smallest.deliveringMicros) }),
    },
    {
      what: `${name}: backfill, memory`,
      median: `${peak.toFixed(0)} MB`,
      goal: `< ${GOAL.memoryMb} MB`,
      isHeld: peak < GOAL.memoryMb,
      notes: `${own.toFixed(0)} MB its own, the rest maps the store's file`,
    },
    {
      what: `${name}: status`,
      median: `${result.fullStatusMs.toFixed(0)} ms`,
      ratio: against(result.fullStatusMs, result.emptyStatusMs),
      goal: `< ${GOAL.status} ×`,
      isHeld: ofStatus < GOAL.status,
      notes: `${result.emptyStatusMs.toFixed(0)} ms on an empty store`,
    },
  ];
}
