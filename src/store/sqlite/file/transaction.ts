import type { Db } from "./db.ts";

/** Write transactions are short; whoever waits this long waits for a process that hangs. */
export const BUSY_TIMEOUT_MS = 15_000;
const LOOK_EVERY_MS = 1;

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
    const giveUpAt = Date.now() + BUSY_TIMEOUT_MS;
    db.pragma("busy_timeout = 0");
    try {
      for (;;) {
        try {
          return attempt(...args);
        } catch (error) {
          if (!isBusy(error) || Date.now() > giveUpAt) throw error;
          sleep(LOOK_EVERY_MS);
        }
      }
    } finally {
      db.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
    }
  };
}

/** Only to take the lock fails so, before anything was written. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && "code" in error && String(error.code).startsWith("SQLITE_BUSY");
}

/** Holds up this thread, as SQLite's own waiting does. */
function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
