// The same backfill over a network as it is: each call and each answer is delayed by chance, so calls come late and out
// of order; by itself, and while one of the machine's cores does other work.
import { fileURLToPath } from "node:url";
import { measureBackfill, rowsOf } from "./backfill.js";
import { startScript } from "./program.js";

const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 1);
const PATIENCE_MS = 3_600_000;
const NETWORKS = [
  { leastMs: 20, mostMs: 250, goal: 1.05 },
  { leastMs: 0, mostMs: 20, goal: 1.03 },
];
const ASKED = process.env.BENCH_CASES?.split(",");
/** By number from 1 on. */
const CASES = NETWORKS.flatMap((network) => [
  { ...network, isBusy: false },
  { ...network, isBusy: true },
]).filter((_, index) => ASKED?.includes(String(index + 1)) ?? true);

export async function flowJitter({ log }) {
  const rows = [];
  for (const { leastMs, mostMs, goal, isBusy } of CASES) {
    const what = `${leastMs} to ${mostMs} ms each way${isBusy ? ", a core busy" : ""}`;
    const results = [];
    for (let round = 0; round < ROUNDS; round++) {
      const result = await measureOver({ leastMs, mostMs, isBusy });
      log({ what, round, ...result });
      results.push(result);
    }
    rows.push(...rowsOf(`flow-jitter: ${what}`, results, goal));
  }
  return rows;
}

async function measureOver({ leastMs, mostMs, isBusy }) {
  const helpers = [];
  const start = async (file, ...args) => {
    const helper = startScript([here(file), ...args], {
      env: process.env,
      exits: [0, null],
      timeoutMs: PATIENCE_MS,
    });
    helpers.push(helper);
    return await helper.line("stdout", /./);
  };
  try {
    const { result } = await measureBackfill(async (hubspot) => {
      const network = await start("slow-network.js", hubspot, String(leastMs), String(mostMs));
      if (isBusy) await start("busy-core.js");
      return { JC_HUBSPOT_API_BASE: network + new URL(hubspot).pathname };
    });
    return result;
  } finally {
    for (const helper of helpers) await helper.stop();
  }
}
