import type { HeldCause, HeldCauses, PushState } from "../../../core/push.ts";
import type { NewRun, Run, RunCounts, Standing } from "../../contract/store.ts";
import type { Db } from "../file/db.ts";
import { transaction } from "../file/transaction.ts";

/** What operators had sent again or for the first time: one audit row a run, and how its pushes stand. */
export function createRuns(db: Db) {
  const start = db.prepare(
    "INSERT INTO runs (command, org, who, filter, started_at) VALUES (@command, @org, @who, @filter, @now)",
  );
  const note = db.prepare("UPDATE runs SET counts = @counts, ended_at = @endedAt WHERE id = @id");
  const list = db.prepare<[string, number], RunRow>(
    "SELECT id, command, who, filter, counts, started_at, ended_at FROM runs WHERE org = ? ORDER BY id DESC LIMIT ?",
  );
  const standing = db.prepare<[number], { state: PushState; n: number }>(
    "SELECT state, count(*) AS n FROM pushes WHERE run_id = ? AND state <> 'never' GROUP BY state",
  );
  const held = db.prepare<[number], HeldRow>(
    "SELECT held_cause AS cause, count(*) AS n FROM pushes WHERE connection_id = ? AND state = 'held' GROUP BY held_cause",
  );
  const heldOfRun = db.prepare<[number, number], HeldRow>(
    `SELECT held_cause AS cause, count(*) AS n FROM pushes
    WHERE run_id = ? AND state = 'held' AND connection_id = ? GROUP BY held_cause`,
  );
  return {
    startRun: transaction(db, (run: NewRun): number =>
      Number(start.run({ ...run, filter: JSON.stringify(run.filter) }).lastInsertRowid),
    ),
    noteRun: transaction(db, (id: number, counts: RunCounts, endedAt: number | null): void => {
      note.run({ id, counts: JSON.stringify(counts), endedAt });
    }),
    runs: (org: string, limit: number): Run[] => list.all(org, limit).map(runOf),
    standing: (runId: number): Standing => {
      const counts: Standing = { pending: 0, delivered: 0, rejected: 0, held: 0 };
      for (const { state, n } of standing.all(runId)) counts[state] = n;
      return counts;
    },
    heldCauses: (connectionId: number, runId?: number): HeldCauses => {
      const rows = runId === undefined ? held.all(connectionId) : heldOfRun.all(runId, connectionId);
      return Object.fromEntries(rows.map(({ cause, n }) => [cause, n]));
    },
  };
}

interface HeldRow {
  cause: HeldCause;
  n: number;
}

interface RunRow {
  id: number;
  command: string;
  who: string;
  filter: string;
  counts: string | null;
  started_at: number;
  ended_at: number | null;
}

function runOf(row: RunRow): Run {
  return {
    id: row.id,
    command: row.command,
    who: row.who,
    filter: JSON.parse(row.filter),
    counts: row.counts === null ? null : JSON.parse(row.counts),
    startedAt: row.started_at,
    endedAt: row.ended_at,
  };
}
