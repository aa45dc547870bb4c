// Intake while retention removes what is old: the times of acknowledgements with it and without, on one log of old,
// delivered invites. Retention that was missed begins as serve starts, and goes on for as long as the load does.
import { join } from "node:path";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import Database from "better-sqlite3";
import { fillLog } from "./fill.js";
import { prepare, send, SERVE, settings, startServer } from "./ingest.js";
import { median } from "./table.js";

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const REQUESTS = Number(process.env.BENCH_REQUESTS ?? 40_000);
const INVITES = Number(process.env.BENCH_RETENTION ?? 200_000);
const GOAL = 1.5;
/** The old ones have lower numbers. */
const FIRST_NEW = 10_000_000;
const DAY_MS = 24 * 3_600_000;

const WAYS = [
  { what: "without", days: 36_500 },
  { what: "with", days: 90 },
];

export async function retention({ log }) {
  const stateDir = mkdtempSync(join(tmpdir(), "jc-bench-"));
  try {
    const file = join(stateDir, "log.db");
    prepare(file, settings(stateDir), 0);
    fillWithOld(file, INVITES);
    const runs = WAYS.map((way) => ({ ...way, results: [] }));
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, { what, days, results }] of runs.entries()) {
        const first = FIRST_NEW + (round * WAYS.length + index) * 2 * REQUESTS;
        const result = await measure({ stateDir, file, days, first });
        results.push(result);
        log({ what, round, invites: INVITES, ...result });
      }
    }
    return rowsOf(runs);
  } finally {
    rmSync(stateDir, { recursive: true });
  }
}

async function measure({ stateDir, file, days, first }) {
  const env = { ...settings(stateDir), JC_RETENTION_DAYS: String(days) };
  forgetTicks(file);
  const before = oldIn(file);
  const { server, address, ended } = await startServer(SERVE, env);
  const load = {
    path: "/jobcannon/events",
    connections: 64,
    warmUp: REQUESTS / 8,
    count: REQUESTS,
    address,
    first,
  };
  const sent = await send(load);
  // Read while serve runs: what it does at its end is no part of the time.
  const after = oldIn(file);
  server.kill("SIGTERM");
  await ended;
  if (sent.accepted !== REQUESTS) throw new Error(`only ${sent.accepted} of ${REQUESTS} were acknowledged`);
  if (days === 90 && INVITES > REQUESTS && after === 0) throw new Error("retention was done before the load");
  return { perSecond: sent.accepted / sent.seconds, ...sent, removed: before - after };
}

/** Ready to be removed: made, delivered and tried longer ago than anybody keeps it. */
function fillWithOld(file, count) {
  fillLog(file, count);
  const db = new Database(file);
  for (const pragma of ["journal_mode = OFF", "synchronous = OFF", "cache_size = -262144"]) db.pragma(pragma);
  const then = Date.now() - 400 * DAY_MS;
  db.transaction(() => {
    db.prepare("UPDATE invites SET at = ?").run(then);
    db.prepare("UPDATE events SET at = ?, received_at = ?").run(then, then);
    db.prepare("DELETE FROM pushes").run();
    db.prepare(`
      INSERT INTO pushes (connection_id, subject, state, version, delivered_version, projection)
      SELECT 1, contact, 'delivered', state_version, state_version, '{"jc_disc_d":"68","jc_test_status":"completed"}'
      FROM invites ORDER BY id`).run();
    db.prepare(`
      INSERT INTO attempts (push_id, version, at, outcome, http_status, duration_ms)
      SELECT id, version, ?, 'delivered', 200, 12 FROM pushes ORDER BY id`).run(then);
  })();
  db.pragma("journal_mode = WAL");
  db.close();
}

/** So that the day's retention is due again. */
function forgetTicks(file) {
  const db = new Database(file);
  db.prepare("DELETE FROM ticks WHERE job = 'retention'").run();
  db.close();
}

function oldIn(file) {
  const db = new Database(file, { readonly: true });
  const count = db
    .prepare("SELECT count(*) FROM invites WHERE at < ?")
    .pluck()
    .get(Date.now() - 100 * DAY_MS);
  db.close();
  return count;
}

function rowsOf(runs) {
  const [without, during] = runs.map(({ results }) => results.map(({ p99 }) => p99));
  // Within a round, since what else the machine does changes from round to round.
  const ratio = median(during.map((p99, round) => p99 / without[round]));
  return runs.map(({ what, results }) => {
    const p99 = results.map((result) => result.p99);
    const middle = (name) => median(results.map((result) => result[name]));
    const removed = `${Math.round(median(results.map((each) => each.removed / each.seconds)))} old ones removed a second`;
    return {
      what: `retention: acknowledged ${what} it, p99`,
      median: `${median(p99).toFixed(1)} ms`,
      spread: `${Math.min(...p99).toFixed(1)}–${Math.max(...p99).toFixed(1)}`,
      notes: `p50 ${middle("p50").toFixed(1)} ms, ${Math.round(middle("perSecond"))}/s${what === "with" ? `, ${removed} of ${INVITES}` : ""}`,
      ...(what === "with"
        ? { ratio: `${ratio.toFixed(2)} ×`, goal: `≤ ${GOAL} ×`, isHeld: ratio <= GOAL }
        : {}),
    };
  });
}
