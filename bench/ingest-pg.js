// Durable intake with the log in PostgreSQL, beside bare servers that put each webhook into a job queue there: the same
// server, the same load. A queue stores the body as one row and is done; `serve` writes the event, the invite and its
// push, knows what it has seen before, and keeps each org's order.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bodyOf, ORG } from "./events.js";
import { cpuOf, LOAD, runWith, send, SERVE, setSecret, settings, startServer } from "./ingest.js";
import { askOnce, startPostgres } from "./postgres.js";
import { median } from "./table.js";

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const QUEUE_SERVER = fileURLToPath(new URL("queue-server.js", import.meta.url));
const QUEUES = [
  { name: "graphile-worker", version: "0.17", table: "graphile_worker._private_jobs" },
  { name: "pg-boss", version: "10", table: "pgboss.job" },
];
const GOAL = 1.2;

export async function ingestPg({ log }) {
  const directory = mkdtempSync(join(tmpdir(), "jc-queues-"));
  const postgres = await startPostgres();
  try {
    install(directory);
    const systems = [
      {
        what: "serve",
        argv: () => SERVE,
        prepare,
        extra: 1,
        tables: ["events", "invites", "pushes"].map((table) => `jc.${table}`),
      },
      ...QUEUES.map(({ name, version, table }) => ({
        what: `${name} ${version}`,
        argv: (url) => [QUEUE_SERVER, name, url, directory],
        prepare: () => {},
        extra: 0,
        tables: [table],
      })),
    ].map((system) => ({ ...system, results: [] }));
    for (let round = 0; round < ROUNDS; round++) {
      for (const system of systems) {
        const result = await measure(postgres, system);
        system.results.push(result);
        log({ what: system.what, round, ...result });
      }
    }
    return rowsOf(systems);
  } finally {
    await postgres.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** They are none of the program's own dependencies. */
function install(directory) {
  const packages = QUEUES.map(({ name, version }) => `${name}@${version}`);
  const argv = ["install", "--prefix", directory, "--no-audit", "--no-fund", "--silent", ...packages];
  execFileSync("npm", argv, { cwd: directory, stdio: ["ignore", "ignore", "inherit"], timeout: 180_000 });
}

/** One run in a database of its own; what was acknowledged is counted there afterwards. */
async function measure(postgres, { argv, prepare, extra, tables }) {
  const stateDir = mkdtempSync(join(tmpdir(), "jc-bench-"));
  const database = await postgres.database();
  const env = { ...settings(stateDir), JC_STORE_URL: database.url };
  const cpu = { seconds: null, database: null };
  try {
    await prepare(database.url, env);
    const before = postgres.cpuSeconds();
    const { server, address, ended } = await startServer(argv(database.url), env);
    const sent = await send({ ...LOAD, address }).finally(() => {
      cpu.seconds = cpuOf(server.pid);
      cpu.database = before === null ? null : postgres.cpuSeconds() - before;
      server.kill("SIGTERM");
    });
    await ended;
    if (sent.accepted !== LOAD.count)
      throw new Error(`only ${sent.accepted} of ${LOAD.count} were acknowledged`);
    for (const table of tables) await verify(database.url, table, extra + LOAD.warmUp + LOAD.count);
    return { perSecond: sent.accepted / sent.seconds, ...sent, cpu };
  } finally {
    await database.drop();
    rmSync(stateDir, { recursive: true });
  }
}

async function verify(url, table, wanted) {
  const [{ n }] = await askOnce(url, `SELECT count(*)::int AS n FROM ${table}`);
  if (n !== wanted) throw new Error(`${table}: ${n} rows for ${wanted} acknowledged events`);
}

/** The secret is set, a connection is held, and one event is there. */
async function prepare(url, env) {
  setSecret(env);
  runWith(env, ["run", "retry"]);
  await askOnce(
    url,
    `INSERT INTO jc.connections (org, vendor, environment, subject_kind, hold_cause, state, account_id, details)
      VALUES ($1, 'hubspot', 'production', 'contact', 'reconnect', 'must_reconnect', '1', $2)`,
    [ORG, { account: null, scopes: [], missingScopes: [] }],
  );
  runWith(env, ["invites", "import", "-"], `${bodyOf("first")}\n`);
}

function rowsOf(systems) {
  const [ours] = systems;
  return systems.map(({ what, results }, index) => {
    const figures = results.map(({ perSecond }) => perSecond);
    const middle = (read) => median(results.map(read)).toFixed(1);
    const perRequest = (read) => {
      const all = results.map((result) => (read(result) * 1e6) / (LOAD.warmUp + LOAD.count));
      return Math.round(median(all));
    };
    // Within a round, since what else the machine does changes from round to round.
    const ratio = median(ours.results.map(({ perSecond }, round) => perSecond / figures[round]));
    return {
      what: `ingest-pg: ${what}`,
      median: `${Math.round(median(figures)).toLocaleString("en-US")}/s`,
      spread: `${Math.round(Math.min(...figures))}–${Math.round(Math.max(...figures))}`,
      notes:
        `p50 ${middle(({ p50 }) => p50)} ms, p99 ${middle(({ p99 }) => p99)} ms, ` +
        `CPU ${perRequest(({ cpu }) => cpu.seconds)} + ${perRequest(({ cpu }) => cpu.database)} µs`,
      ...(index === 0 ? {} : { ratio: `${ratio.toFixed(2)} ×`, goal: `≥ ${GOAL} ×`, isHeld: ratio >= GOAL }),
    };
  });
}
