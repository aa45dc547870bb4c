import { setTimeout as sleep } from "node:timers/promises";
import { isLockedOut } from "./file/store-errors.ts";

/** Whoever may wait repeats for this long in all, and holds up nobody in between. */
const LONGEST_MS = 15_000;
const PAUSE_MS = 250;

/** What the lock's holder is to blame for, told by the store's thread. Looks as SQLite's own error does. */
export class LockedOut extends Error {
  readonly code = "SQLITE_BUSY";
}

/** Does it again while another process holds the log's lock: nothing was done then. */
export async function repeatWhileLockedOut<Result>(attempt: () => Promise<Result>): Promise<Result> {
  const giveUpAt = Date.now() + LONGEST_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isLockedOut(error) || Date.now() > giveUpAt) throw error;
      await sleep(PAUSE_MS);
    }
  }
}
