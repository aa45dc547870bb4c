import { setTimeout as sleep } from "node:timers/promises";
import { isLockedOut } from "./store-errors.ts";

/** Whoever may wait repeats for this long in all, and holds up nobody in between. */
const LONGEST_MS = 15_000;

/** What the lock's holder is to blame for, told by the store's thread. Looks as SQLite's own error does. */
export class LockedOut extends Error {
  readonly code = "SQLITE_BUSY";
}

/** How long somebody waits for the log's lock, which another process holds. */
export interface Patience {
  /** A slice of the work is done: the time begins anew. */
  stepped(): void;
  /** Waits a moment. Throws this error once the time is over, and the signal's reason where that aborts. */
  orGiveUp(error: unknown): Promise<void>;
}

export interface Waiting {
  /** Between two looks for the lock. */
  pauseMs: number;
  signal?: AbortSignal;
}

export function createPatience({ pauseMs, signal }: Waiting): Patience {
  const later = () => Date.now() + LONGEST_MS;
  let giveUpAt = later();
  return {
    stepped: () => {
      giveUpAt = later();
    },
    orGiveUp: async (error) => {
      if (Date.now() > giveUpAt) throw error;
      // Only now does anybody hear of a Ctrl-C.
      await sleep(pauseMs);
      signal?.throwIfAborted();
    },
  };
}

/** Does it again while another process holds the log's lock. */
export async function repeatWhileLockedOut<Result>(
  attempt: (patience: Patience) => Promise<Result>,
  waiting: Waiting,
): Promise<Result> {
  const patience = createPatience(waiting);
  for (;;) {
    try {
      return await attempt(patience);
    } catch (error) {
      if (!isLockedOut(error)) throw error;
      await patience.orGiveUp(error);
    }
  }
}
