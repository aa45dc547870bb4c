// Two services on one log in PostgreSQL beside one: what a delivered contact costs in processor time, how much faster a
// slow vendor is served, and whether two keep a portal's rate window as one does.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { CONTACTS as IN_FLOW, figuresOf, LIMIT, rowsOf, windowOver } from "./backfill.js";
import { openPortal } from "./portal.js";
import { askOnce, startPostgres } from "./postgres.js";
import { startScript } from "./program.js";
import { median } from "./table.js";

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const CONTACTS = Number(process.env.BENCH_REPLICAS ?? 40_000);
const CASES = process.env.BENCH_CASES?.split(",") ?? ["cpu", "slow", "flow"];
/** The second needs no processor that a few services could not have together: there, calls under way alone are the bound. */
const SLOW = [200, 2_000];
const GOALS = { cpu: 1.15, speed: 1.8, flow: 1.05 };
const COUNTS = [1, 2];
/** Far enough ahead that nothing begins, and not so far that a clock seems to be wrong. */
const LATER_MS = 600_000;
const PATIENCE_MS = 900_000;

export async function replicas({ log }) {
  const postgres = await startPostgres();
  try {
    const measure = (latencyMs, contacts) =>
      deliverTo(postgres, { latencyMs, contacts }, (result) => log({ latencyMs, ...result }));
    const rows = [];
    if (CASES.includes("cpu")) rows.push(...cpuRows(await measure(0, CONTACTS)));
    for (const latencyMs of CASES.includes("slow") ? SLOW : [])
      rows.push(...speedRows(await measure(latencyMs, CONTACTS / 2), latencyMs));
    if (!CASES.includes("flow")) return rows;
    const flow = [];
    for (let round = 0; round < ROUNDS; round++) {
      flow.push(await flowOfTwo(postgres));
      log({ part: "flow", round, ...flow.at(-1) });
    }
    return [...rows, ...rowsOf("replicas: flow of two", flow, GOALS.flow)];
  } finally {
    await postgres.stop();
  }
}

/** By number of services, the results of all rounds. The same contacts go out again and again. */
async function deliverTo(postgres, { contacts, latencyMs }, log) {
  const database = await postgres.database();
  const portal = await openPortal({ limit: "none", tier: "none", env: { JC_STORE_URL: database.url } });
  const argv = [fileURLToPath(new URL("instant-vendor.js", import.meta.url)), String(latencyMs)];
  const vendor = startScript(argv, { env: {}, timeoutMs: PATIENCE_MS * 10 });
  try {
    const url = await vendor.line("stdout", /./);
    const figures = async () => (await fetch(`${url}/figures`)).json();
    const env = { JC_HUBSPOT_API_BASE: url };
    await portal.importInvites(0, contacts);
    await portal.connect();
    await portal.run(["backfill", "--yes", "--detach"]);
    const place = { postgres, database, portal, figures, env, contacts };
    const results = new Map(COUNTS.map((count) => [count, []]));
    for (let round = 0; round < ROUNDS; round++)
      for (const count of COUNTS) {
        const result = await deliver(place, count);
        results.get(count).push(result);
        log({ services: count, round, ...result });
      }
    return results;
  } finally {
    await vendor.stop().catch(() => {});
    await portal.close();
    await database.drop();
  }
}

/** All is queued, and all services wait, before it begins; the first part of it, in which code is compiled, is not measured. */
async function deliver({ postgres, database: { url }, portal, figures, env, contacts }, count) {
  await askOnce(
    url,
    `UPDATE jc.pushes SET state = 'pending', delivered_version = 0, projection = NULL, record = NULL, receipt = NULL,
      pending_since = jc.now_ms(), due_at = jc.now_ms() + ${LATER_MS}`,
  );
  await askOnce(url, "TRUNCATE jc.attempts");
  await askOnce(url, "VACUUM ANALYZE");
  const services = await serveWith(portal, env, count);
  try {
    const warmUp = Math.floor(contacts / 8);
    await letGo(url, warmUp);
    await untilDelivered(url, warmUp);
    await figures();
    const before = [cpuOf(services), postgres.cpuSeconds()];
    await letGo(url, contacts);
    await untilDelivered(url, contacts);
    const after = [cpuOf(services), postgres.cpuSeconds()];
    const { records, calls, firstAt, lastAt } = await figures();
    if (records !== contacts - warmUp) throw new Error(`${records} of ${contacts - warmUp} records arrived`);
    const [cpu, databaseCpu] = after.map((seconds, index) => ((seconds - before[index]) * 1e6) / records);
    return { perSecond: records / ((lastAt - firstAt) / 1_000), calls, cpu, databaseCpu };
  } finally {
    await Promise.all(services.map((service) => service.stop()));
  }
}

/** So many of those that wait are due from now on. */
async function letGo(url, most) {
  await askOnce(
    url,
    `WITH due AS (UPDATE jc.pushes SET due_at = jc.now_ms()
        WHERE id IN (SELECT id FROM jc.pushes WHERE state = 'pending' ORDER BY id LIMIT ${most}) RETURNING 1)
      SELECT pg_notify('jc_changed', 'bench') FROM (SELECT count(*) FROM due) AS n`,
  );
}

async function serveWith(portal, env, count) {
  const services = Array.from({ length: count }, () =>
    portal.start(["serve"], { env, timeoutMs: PATIENCE_MS }),
  );
  await Promise.all(services.map((service) => service.line("stdout", /listening/)));
  return services;
}

/** A backfill of a portal that has a limit, as in *flow*, with two services. */
async function flowOfTwo(postgres) {
  const database = await postgres.database();
  const portal = await openPortal({
    limit: LIMIT.text,
    tier: LIMIT.tier,
    env: { JC_STORE_URL: database.url },
  });
  try {
    await portal.importInvites(0, IN_FLOW);
    await portal.connect();
    await windowOver();
    const services = await serveWith(portal, {}, 2);
    await portal.run(["backfill", "--yes", "--detach"]);
    await untilDelivered(database.url, IN_FLOW);
    await Promise.all(services.map((service) => service.stop()));
    const durations = await askOnce(database.url, "SELECT duration_ms::int AS ms FROM jc.attempts");
    return figuresOf(await portal.upserts(), median(durations.map(({ ms }) => ms)));
  } finally {
    await portal.close();
    await database.drop();
  }
}

async function untilDelivered(url, count) {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const [{ n }] = await askOnce(
      url,
      "SELECT coalesce(sum(n), 0)::int AS n FROM jc.push_counts WHERE state = 'delivered'",
    );
    if (n === count) return;
    if (Date.now() > until) throw new Error(`${n} of ${count} contacts were delivered in time`);
    await sleep(100);
  }
}

/** Of all these processes, in seconds. */
function cpuOf(services) {
  return services.reduce((sum, { pid }) => {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ");
    return sum + (Number(fields[11]) + Number(fields[12])) / 100;
  }, 0);
}

function cpuRows(results) {
  // Within a round, since what else the machine does changes from round to round.
  const ratio = ratioOf(results, ({ cpu }) => cpu);
  return COUNTS.map((count) => {
    const all = results.get(count);
    const costs = all.map(({ cpu }) => cpu);
    return {
      what: `replicas: processor time a contact, ${wordsOf(count)}`,
      median: `${median(costs).toFixed(0)} µs`,
      spread: `${Math.min(...costs).toFixed(0)}–${Math.max(...costs).toFixed(0)}`,
      notes: `the database beside it ${median(all.map(({ databaseCpu }) => databaseCpu)).toFixed(0)} µs, ${Math.round(median(all.map(({ perSecond }) => perSecond)))} contacts/s`,
      ...(count === 1
        ? {}
        : { ratio: `${ratio.toFixed(2)} ×`, goal: `≤ ${GOALS.cpu} ×`, isHeld: ratio <= GOALS.cpu }),
    };
  });
}

function speedRows(results, latencyMs) {
  const ratio = ratioOf(results, ({ perSecond }) => perSecond);
  return COUNTS.map((count) => {
    const speeds = results.get(count).map(({ perSecond }) => perSecond);
    return {
      what: `replicas: a vendor of ${latencyMs} ms, ${wordsOf(count)}`,
      median: `${Math.round(median(speeds)).toLocaleString("en-US")}/s`,
      spread: `${Math.round(Math.min(...speeds))}–${Math.round(Math.max(...speeds))}`,
      ...(count === 1
        ? {}
        : { ratio: `${ratio.toFixed(2)} ×`, goal: `≥ ${GOALS.speed} ×`, isHeld: ratio >= GOALS.speed }),
    };
  });
}

function ratioOf(results, read) {
  const [one, two] = COUNTS.map((count) => results.get(count).map(read));
  return median(two.map((each, round) => each / one[round]));
}

const wordsOf = (count) => (count === 1 ? "one service" : "two services");
