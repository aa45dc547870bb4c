import type { NewEvent } from "../../../core/event.ts";
import type { AppendResult } from "../../contract/store.ts";

export interface WaitingAppend {
  events: readonly NewEvent[];
  resolve(results: AppendResult[]): void;
  reject(error: unknown): void;
}

/** Bounds one transaction to some 30 ms, so that other processes get their turn. */
const LARGEST_COMMIT = 512;

/**
 * While one commit waits for the disk, appends pile up, and the next commit takes them all: the price of
 * durability is paid once for many. They are stored in the order in which they came.
 */
export function createGroupCommit(append: (events: readonly NewEvent[]) => AppendResult[]) {
  const waiting: WaitingAppend[] = [];

  const commitNext = () => {
    const batch = waiting.splice(0, batchLength(waiting));
    try {
      const results = append(batch.flatMap(({ events }) => events));
      for (const { events, resolve } of batch) resolve(results.splice(0, events.length));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    if (waiting.length > 0) setImmediate(commitNext);
  };

  return {
    add: (call: WaitingAppend) => {
      waiting.push(call);
      if (waiting.length === 1) setImmediate(commitNext);
    },
    /** Commits what still waits, at once. */
    finish: () => {
      while (waiting.length > 0) commitNext();
    },
  };
}

/** How many of the oldest appends fit into one commit; one that is too large for any goes alone. */
function batchLength(waiting: readonly WaitingAppend[]): number {
  let events = 0;
  const firstTooMany = waiting.findIndex((call) => {
    events += call.events.length;
    return events > LARGEST_COMMIT;
  });
  return firstTooMany === -1 ? waiting.length : Math.max(1, firstTooMany);
}
