import type { NewEvent } from "../../core/event.ts";
import type { AppendResult, Store } from "../../store/contract/store.ts";

/**
 * To hand the store's thread one event costs as much as the event itself, so those that come in one turn of the
 * loop go together. Not all of them, though: the store commits the first ones while the next ones are read.
 */
const MOST_CALLS_TOGETHER = 16;

interface Call {
  events: readonly NewEvent[];
  resolve(results: AppendResult[]): void;
  reject(error: unknown): void;
}

/** A store's `append` whose calls travel together; each still gets its own answer. */
export function gatherAppends(store: Pick<Store, "append">): Pick<Store, "append"> {
  let gathered: Call[] = [];

  const send = () => {
    const calls = gathered;
    gathered = [];
    if (calls.length === 0) return;
    store.append(calls.flatMap(({ events }) => events)).then(
      (results) => {
        for (const { events, resolve } of calls) resolve(results.splice(0, events.length));
      },
      (error: unknown) => {
        for (const { reject } of calls) reject(error);
      },
    );
  };

  return {
    append: (events) =>
      new Promise((resolve, reject) => {
        gathered.push({ events, resolve, reject });
        if (gathered.length === 1) setImmediate(send);
        if (gathered.length === MOST_CALLS_TOGETHER) send();
      }),
  };
}
