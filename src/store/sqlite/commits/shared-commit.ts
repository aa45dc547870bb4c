import { isAppError } from "../../../shared/errors.ts";
import type { Db } from "../file/db.ts";
import { storeErrors } from "../file/store-errors.ts";
import { transaction } from "../file/transaction.ts";

export interface WaitingCall {
  /** A write transaction of its own; run again from its start where the shared one is undone. */
  run(): unknown;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** A call writes up to a hundred rows: bounds one transaction to some 15 ms, so that other processes get their turn. */
const MOST_CALLS = 4;

/**
 * Calls that came while the disk was waited for share the next commit, in the order in which they came, and are
 * answered after it. Where one fails, all is undone and each goes alone, so that it fails alone.
 */
export function createSharedCommit(db: Db, path: string) {
  const waiting: WaitingCall[] = [];
  const together = transaction(db, (calls: readonly WaitingCall[]) => calls.map(({ run }) => run()));

  const commitNext = () => {
    const calls = waiting.splice(0, MOST_CALLS);
    if (calls.length === 1 || !shareCommit(calls)) for (const call of calls) goAlone(call);
    if (waiting.length > 0) setImmediate(commitNext);
  };
  /** False where one call failed: whose fault it was shows when each goes alone. */
  const shareCommit = (calls: readonly WaitingCall[]): boolean => {
    try {
      const results = storeErrors(path, () => together(calls));
      for (const [index, { resolve }] of calls.entries()) resolve(results[index]);
      return true;
    } catch (error) {
      // A full disk is everybody's trouble.
      if (!isAppError(error, "STORE_UNAVAILABLE")) return false;
      for (const { reject } of calls) reject(error);
      return true;
    }
  };

  return {
    add: (call: WaitingCall) => {
      waiting.push(call);
      if (waiting.length === 1) setImmediate(commitNext);
    },
    /** Commits what still waits, at once. */
    finish: () => {
      while (waiting.length > 0) commitNext();
    },
  };
}

function goAlone({ run, resolve, reject }: WaitingCall): void {
  try {
    resolve(run());
  } catch (error) {
    reject(error);
  }
}
