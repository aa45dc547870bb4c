import { isRunning, type ProcessIdentity } from "../../../shared/process-identity.ts";
import type { TickRequest, TickStanding } from "../../contract/store.ts";
import { LONGEST_PAUSE_MS, type TickRow, tickStandingOf } from "../../rows/ticks.ts";
import type { Db } from "../file/db.ts";
import { transaction } from "../file/transaction.ts";

/**
 * One row per job and due time: who inserts it runs the job, so no leader is needed. It names the process that runs it,
 * so that a run that was killed, or failed, is not taken for one that was done.
 */
export function createTicks(db: Db, self: ProcessIdentity) {
  const holder = JSON.stringify(self);
  const one = db.prepare<[string, number], TickRow>(
    "SELECT opened_at, holder, tries, is_done FROM ticks WHERE job = ? AND due_at = ?",
  );
  const holders = db.prepare<[string], HolderRow>(
    "SELECT holder, opened_at FROM ticks WHERE job = ? AND holder IS NOT NULL",
  );
  const begin = db.prepare(`
    INSERT INTO ticks (job, due_at, opened_at, holder, is_done) VALUES (@job, @dueAt, @now, @holder, 0)
    ON CONFLICT DO UPDATE SET opened_at = excluded.opened_at, holder = excluded.holder, tries = tries + 1`);
  const giveUpOthers = db.prepare(
    "UPDATE ticks SET holder = NULL WHERE job = ? AND due_at <> ? AND holder IS NOT NULL",
  );
  const forgetOthers = db.prepare("DELETE FROM ticks WHERE job = ? AND due_at <> ?");
  const end = db.prepare(
    "UPDATE ticks SET holder = NULL, is_done = ? WHERE job = ? AND due_at = ? AND holder = ?",
  );

  const standing = ({ job, dueAt, now }: TickRequest): TickStanding => {
    const isUnderWay = holders.all(job).some((each) => isHeld(each, now));
    return tickStandingOf(one.get(job, dueAt), { isUnderWay, now });
  };
  const beginOpen = transaction(db, (request: TickRequest): TickStanding => {
    const found = standing(request);
    if (found !== "ours") return found;
    const { job, dueAt, now, once } = request;
    begin.run({ job, dueAt, now, holder });
    // By no clock: a moment in which it was wrong must not make us forget what was done.
    if (once) giveUpOthers.run(job, dueAt);
    else forgetOthers.run(job, dueAt);
    return found;
  });

  return {
    // Looked at first: nearly always there is nothing to write.
    beginTick: (request: TickRequest): TickStanding => {
      const found = standing(request);
      return found === "ours" ? beginOpen(request) : found;
    },
    endTick: transaction(db, (job: string, dueAt: number, isDone: boolean): void => {
      end.run(Number(isDone), job, dueAt, holder);
    }),
  };
}

interface HolderRow {
  holder: string;
  opened_at: number;
}

/** Where the system does not tell when a process began, its pid may be another's by now: then it holds for an hour. */
function isHeld({ holder, opened_at }: HolderRow, now: number): boolean {
  const by: ProcessIdentity = JSON.parse(holder);
  const isCertain = by.startedAt !== "" || Math.abs(now - opened_at) < LONGEST_PAUSE_MS;
  return isCertain && isRunning(by);
}
