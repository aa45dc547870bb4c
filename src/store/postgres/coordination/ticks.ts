import type { CoordinationVerbs, TickRequest, TickStanding } from "../../contract/coordination.ts";
import { type TickRow, tickStandingOf } from "../../rows/ticks.ts";
import type { Db, Self, Sql } from "../../../postgres/sql.ts";

/** One row per job and due time: who inserts it runs the job, so no leader is needed, on however many machines. */
export function createTicks(db: Db, self: Self): Pick<CoordinationVerbs, "beginTick" | "endTick"> {
  /** What this process runs, or asks for just now. What else it holds it never heard of, and runs nowhere. */
  const begun = new Set<string>();
  const isRunHere: IsRunHere = (job, dueAt) => begun.has(nameOf(job, dueAt));
  const begin = async (request: TickRequest): Promise<TickStanding> => {
    const name = nameOf(request.job, request.dueAt);
    begun.add(name);
    let standing: TickStanding = "later";
    try {
      standing = await db.write({ keys: [`job ${request.job}`] }, (tx) =>
        beginIn(tx, request, { self: self(), isRunHere }),
      );
    } finally {
      if (standing !== "ours") begun.delete(name);
    }
    return standing;
  };
  return {
    beginTick: async (request) => {
      if (isRunHere(request.job, request.dueAt)) return "later";
      // Looked at first: nearly always there is nothing to write.
      const found = await standingIn(db.read, request, { self: self(), isRunHere });
      return found === "ours" ? await begin(request) : found;
    },
    endTick: async (job, dueAt, isDone) => {
      await db.write({ keys: [`job ${job}`] }, async (tx) => {
        await tx.run(
          "UPDATE jc.ticks SET holder = NULL, is_done = $1 WHERE job = $2 AND due_at = $3 AND holder = $4",
          [Number(isDone), job, dueAt, self()],
        );
      });
      begun.delete(nameOf(job, dueAt));
    },
  };
}

type IsRunHere = (job: string, dueAt: number) => boolean;
interface Asker {
  self: number;
  isRunHere: IsRunHere;
}

const nameOf = (job: string, dueAt: number) => `${dueAt} ${job}`;

async function beginIn(tx: Sql, request: TickRequest, asker: Asker): Promise<TickStanding> {
  const found = await standingIn(tx, request, asker);
  if (found !== "ours") return found;
  const { job, dueAt, now, once } = request;
  // What this process holds and does not run was no try.
  await tx.run(
    `INSERT INTO jc.ticks AS t (job, due_at, opened_at, holder, is_done) VALUES ($1, $2, $3, $4, 0)
      ON CONFLICT (job, due_at) DO UPDATE SET opened_at = excluded.opened_at, holder = excluded.holder,
        tries = t.tries + CASE WHEN t.holder IS NOT DISTINCT FROM $4 THEN 0 ELSE 1 END`,
    [job, dueAt, now, asker.self],
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

/** Whoever asks runs nothing for that due time, whatever stands there: the answer to an earlier try may have been lost. */
async function standingIn(
  sql: Sql,
  { job, dueAt, now }: TickRequest,
  { self, isRunHere }: Asker,
): Promise<TickStanding> {
  const rows = await sql.all<TickRow & { due_at: number; is_held: boolean }>(
    `SELECT due_at, opened_at, holder, tries, is_done, coalesce(holder IN (SELECT * FROM jc.live_holders()), false) AS is_held
      FROM jc.ticks WHERE job = $1 AND (due_at = $2 OR holder IS NOT NULL)`,
    [job, dueAt],
  );
  const isRun = (row: (typeof rows)[number]) =>
    Number(row.holder) === self ? row.due_at !== dueAt && isRunHere(job, row.due_at) : row.is_held;
  return tickStandingOf(
    rows.find((row) => row.due_at === dueAt),
    { isUnderWay: rows.some(isRun), now },
  );
}
