import type { Db } from "./file.ts";
import { transaction } from "./transaction.ts";

/** One row per job and due time: who inserts it runs the job, so no leader is needed. */
export function createTicks(db: Db, now: () => number) {
  const open = db.prepare("INSERT OR IGNORE INTO ticks (job, due_at, opened_at) VALUES (?, ?, ?)");
  const last = db.prepare<[string], number | null>("SELECT max(due_at) FROM ticks WHERE job = ?").pluck();
  const forget = db.prepare("DELETE FROM ticks WHERE job = ? AND due_at < ?");
  /** Older rows tell nothing any more: a due time this far back is never asked for again. */
  const KEPT_MS = 7 * 24 * 3_600_000;
  return {
    openTick: transaction(db, (job: string, dueAt: number): boolean => {
      const isOurs = open.run(job, dueAt, now()).changes === 1;
      if (isOurs) forget.run(job, dueAt - KEPT_MS);
      return isOurs;
    }),
    lastTick: (job: string): number | null => last.get(job) ?? null,
  };
}
