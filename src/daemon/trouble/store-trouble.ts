import type { Clock } from "../../shared/clock.ts";
import { isAppError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";

/** A store that is full or locked: told once, however often and by whomever it is met, and once when it is over. */
export interface StoreTrouble {
  /** Throws whatever else it is. */
  hear(error: unknown): void;
  /** The store did what was asked. */
  passed(): void;
}

/** On a full disk small writes still pass now and then. */
const QUIET_MS = 2 * 60_000;

export function createStoreTrouble({ clock, log }: { clock: Pick<Clock, "now">; log: Log }): StoreTrouble {
  let heardAt: number | null = null;
  return {
    hear: (error) => {
      if (!isAppError(error, "STORE_UNAVAILABLE")) throw error;
      if (heardAt === null) {
        const hint = error.hint === undefined ? {} : { hint: error.hint };
        log.error("the store cannot be used: all waits until it can", { reason: error.message, ...hint });
      }
      heardAt = clock.now();
    },
    passed: () => {
      if (heardAt === null || Math.abs(clock.now() - heardAt) < QUIET_MS) return;
      heardAt = null;
      log.info("the store can be used again");
    },
  };
}
