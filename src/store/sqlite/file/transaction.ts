import type { Db, Guard } from "./db.ts";

/** The longest that anything waits for the lock at a time: one thread serves all, and a sender waits 5 s at most. */
export const LONGEST_WAIT_MS = 2_000;
/** While another process is known to hold the lock, nobody else waits for it as long. */
const KNOWN_LOCKED_WAIT_MS = 5;
const LOOK_EVERY_MS = 1;

/** Runs `check` before each write transaction begins, and again before anybody hears that it is done. */
export function guardTransactions(db: Db, check: Guard): void {
  db.guard = check;
}

/**
 * Makes `work` one write transaction. SQLite's own way to wait looks for the lock ever more rarely, at last every
 * 100 ms; a busy service takes it back within a millisecond, and a command beside it would wait for seconds.
 * So we look every millisecond. Within another one it is a part of that one, and undone with it: a savepoint of its
 * own would cost as much as a third of its work.
 */
export function transaction<Args extends unknown[], Result>(
  db: Db,
  work: (...args: Args) => Result,
): (...args: Args) => Result {
  const attempt = db.transaction(work).immediate;
  return (...args) => {
    if (db.inTransaction) return work(...args);
    db.guard?.("nothing");
    const result = repeatWhileBusy(db, () => attempt(...args));
    db.guard?.("committed");
    return result;
  };
}

function repeatWhileBusy<Result>(db: Db, attempt: () => Result): Result {
  const giveUpAt = Date.now() + patienceMs(db);
  db.pragma("busy_timeout = 0");
  try {
    for (;;) {
      try {
        const result = attempt();
        db.isLockedOut = false;
        return result;
      } catch (error) {
        if (!isBusy(error)) throw error;
        if (Date.now() > giveUpAt) {
          db.isLockedOut = true;
          throw error;
        }
        sleep(LOOK_EVERY_MS);
      }
    }
  } finally {
    db.pragma(`busy_timeout = ${patienceMs(db)}`);
  }
}

/** A read met the lock: whoever comes next shall not wait as long. */
export function noteBusy(db: Db, error: unknown): void {
  if (!isBusy(error)) return;
  db.isLockedOut = true;
  db.pragma(`busy_timeout = ${patienceMs(db)}`);
}

function patienceMs(db: Db): number {
  return db.isLockedOut ? KNOWN_LOCKED_WAIT_MS : (db.longestWaitMs ?? LONGEST_WAIT_MS);
}

/** Only to take the lock fails so, before anything was written. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && "code" in error && /^SQLITE_(BUSY|PROTOCOL)/.test(String(error.code));
}

/** Holds up this thread, as SQLite's own waiting does. */
export function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
