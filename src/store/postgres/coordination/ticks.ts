import type { CoordinationVerbs, TickRequest, TickStanding } from "../../contract/coordination.ts";
import { type TickRow, tickStandingOf } from "../../rows/ticks.ts";
import type { Db, Self, Sql } from "../server/sql.ts";

/** One row per job and due time: who inserts it runs the job, so no leader is needed, on however many machines. */
export function createTicks(db: Db, self: Self): Pick<CoordinationVerbs, "beginTick" | "endTick"> {
  return {
    // Looked at first: nearly always there is nothing to write.
    beginTick: async (request) => {
      const found = await standingIn(db.read, request);
      return found === "ours" ? await db.write("all", (tx) => begin(tx, request, self())) : found;
    },
    endTick: (job, dueAt, isDone) =>
      db.write("all", async (tx) => {
        await tx.run(
          "UPDATE jc.ticks SET holder = NULL, is_done = $1 WHERE job = $2 AND due_at = $3 AND holder = $4",
          [Number(isDone), job, dueAt, self()],
        );
      }),
  };
}

async function begin(tx: Sql, request: TickRequest, self: number): Promise<TickStanding> {
  const found = await standingIn(tx, request);
  if (found !== "ours") return found;
  const { job, dueAt, now, once } = request;
  await tx.run(
    `INSERT INTO jc.ticks AS t (job, due_at, opened_at, holder, is_done) VALUES ($1, $2, $3, $4, 0)
      ON CONFLICT (job, due_at) DO UPDATE SET opened_at = excluded.opened_at, holder = excluded.holder, tries = t.tries + 1`,
    [job, dueAt, now, self],
  );
  // By no clock: a moment in which it was wrong must not make us forget what was done.
  await tx.run(
    once
      ? "UPDATE jc.ticks SET holder = NULL WHERE job = $1 AND due_at <> $2 AND holder IS NOT NULL"
      : "DELETE FROM jc.ticks WHERE job = $1 AND due_at <> $2",
    [job, dueAt],
  );
  return found;
}

async function standingIn(sql: Sql, { job, dueAt, now }: TickRequest): Promise<TickStanding> {
  const rows = await sql.all<TickRow & { due_at: number; is_held: boolean }>(
    `SELECT due_at, opened_at, holder, tries, is_done, coalesce(holder IN (SELECT * FROM jc.live_holders()), false) AS is_held
      FROM jc.ticks WHERE job = $1 AND (due_at = $2 OR holder IS NOT NULL)`,
    [job, dueAt],
  );
  return tickStandingOf(
    rows.find((row) => row.due_at === dueAt),
    { isUnderWay: rows.some((row) => row.is_held), now },
  );
}
