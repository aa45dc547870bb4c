// How far our own work is from standing in a vendor's way: records a second to a vendor that answers at once and sets
// no limit, beside a bare loop of undici that sends the same bodies and writes the same rows.
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openPortal, UPSERT } from "./portal.js";
import { startScript } from "./program.js";
import { median } from "./table.js";

const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const CONTACTS = Number(process.env.BENCH_HEADROOM ?? 50_000);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const CALLS_AT_ONCE = 8;
const PATIENCE_MS = 180_000;
const GOAL = 0.5;

export async function headroom({ log }) {
  const portal = await openPortal({ limit: "none", tier: "none" });
  const dir = mkdtempSync(join(tmpdir(), "jc-bench-"));
  const vendor = startScript([here("instant-vendor.js")], { env: {} });
  try {
    const url = await vendor.line("stdout", /./);
    const figuresOf = async () => await (await fetch(`${url}/figures`)).json();
    const env = { JC_HUBSPOT_API_BASE: url };
    await portal.importInvites(0, CONTACTS);
    await portal.connect();
    await portal.run(["backfill", "--yes", "--detach"]);
    const [queued, delivered] = [join(dir, "queued.db"), join(dir, "delivered.db")];
    const store = join(portal.stateDir, "log.db");
    copyFileSync(store, queued);
    const place = { portal, env, url, store, delivered };
    // Warms up the disk, and leaves the projections for the bare loop.
    await replayAll(place);
    copyFileSync(store, delivered);

    const systems = [
      { what: "serve", run: serve, results: [] },
      { what: "bare undici loop, same rows", run: bareLoop, results: [] },
      { what: "replay without serve", run: replayAll, results: [] },
    ];
    for (let round = 0; round < ROUNDS; round++) {
      for (const { what, run, results } of systems) {
        copyFileSync(queued, store);
        await figuresOf();
        const { memory } = await run(place);
        const { records, calls, firstAt, lastAt } = await figuresOf();
        if (records !== CONTACTS) throw new Error(`${what}: ${records} of ${CONTACTS} records arrived`);
        const result = { perSecond: records / ((lastAt - firstAt) / 1_000), calls, ...memory };
        results.push(result);
        log({ what, round, ...result });
      }
    }
    return rowsOf(systems);
  } finally {
    await vendor.stop().catch(() => {});
    await portal.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

function rowsOf(systems) {
  const bare = median(systems[1].results.map(({ perSecond }) => perSecond));
  return systems.map(({ what, results }, index) => {
    const figures = results.map(({ perSecond }) => perSecond);
    const middle = (name) => Math.round(median(results.map((result) => result[name])));
    const ratio = median(figures) / bare;
    return {
      what: `headroom: ${what}`,
      median: `${Math.round(median(figures)).toLocaleString("en-US")}/s`,
      spread: `${Math.round(Math.min(...figures))}–${Math.round(Math.max(...figures))}`,
      notes: `${middle("calls")} calls, ${middle("peak")} MB at most, ${middle("own")} MB its own`,
      ...(index === 1 ? {} : { ratio: `${ratio.toFixed(2)} ×` }),
      ...(index === 0 ? { goal: `≥ ${GOAL} ×`, isHeld: ratio >= GOAL } : {}),
    };
  });
}

/** All is queued before it starts; it stops when all is settled. */
async function serve({ portal, env }) {
  const serving = portal.start(["serve"], { env, timeoutMs: PATIENCE_MS });
  await serving.line("stdout", /listening/);
  const until = Date.now() + PATIENCE_MS;
  while (portal.countPushes("delivered") < CONTACTS) {
    if (Date.now() > until) throw new Error("serve does not deliver");
    await sleep(200);
  }
  await serving.stop();
  return serving;
}

function replayAll({ portal, env }) {
  return portal.run(["replay", "--status", "pending", "--yes"], { env, timeoutMs: PATIENCE_MS });
}

function bareLoop({ url, store, delivered }) {
  const argv = [here("bare-sender.js"), store, delivered, url, UPSERT, String(CALLS_AT_ONCE)];
  return startScript(argv, { env: {}, timeoutMs: PATIENCE_MS }).finished;
}
