import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import type { NewEvent } from "../../core/event.ts";
import { isAppError } from "../../shared/errors.ts";
import { thisProcess } from "../../shared/running.ts";
import { openLog, storeErrors } from "./file.ts";
import type { FromThread, ThreadFailure, ThreadOptions, ToThread } from "./threaded.ts";
import { createVerbs } from "./verbs.ts";
import { watchOthers } from "./watch.ts";

/**
 * The store's own thread: it alone waits for the disk. While one commit waits, appends pile up, and the next
 * commit takes them all (group commit).
 */
const { stateDir }: ThreadOptions = workerData;
const port = parentPort;
if (!port) throw new Error("the store's thread was started as a program");
const answer = (message: FromThread) => port.postMessage(message);
const path = join(stateDir, "log.db");

/** Bounds one transaction to some 20 ms, so that other processes get their turn. */
const LARGEST_COMMIT = 512;
let waiting: { id: number; events: readonly NewEvent[] }[] = [];

try {
  const db = storeErrors(path, () => openLog(stateDir, { now: Date.now() }));
  const verbs = createVerbs(db, thisProcess(), { now: Date.now });
  const stopWatching = watchOthers(db, () => answer({ kind: "changed" }));

  const commitWaiting = () => {
    const batch: typeof waiting = [];
    let size = 0;
    for (
      let next = waiting[0];
      next && size + next.events.length <= Math.max(LARGEST_COMMIT, next.events.length);
      next = waiting[0]
    ) {
      batch.push(next);
      size += next.events.length;
      waiting.shift();
    }
    if (waiting.length > 0) setImmediate(commitWaiting);
    try {
      const results = storeErrors(path, () => verbs.append(batch.flatMap((part) => part.events)));
      let from = 0;
      for (const { id, events } of batch) {
        answer({ kind: "result", id, result: results.slice(from, from + events.length) });
        from += events.length;
      }
    } catch (error) {
      for (const { id } of batch) answer({ kind: "failure", id, failure: failureOf(error) });
    }
  };

  port.on("message", (message: ToThread) => {
    if (message.kind === "append") {
      waiting.push(message);
      if (waiting.length === 1) setImmediate(commitWaiting);
      return;
    }
    if (message.kind === "close") {
      while (waiting.length > 0) commitWaiting();
      stopWatching();
      db.close();
      answer({ kind: "closed" });
      port.close();
      return;
    }
    const { id, name, args } = message;
    try {
      const verb: (...args: never[]) => unknown = verbs[name];
      answer({ kind: "result", id, result: storeErrors(path, () => Reflect.apply(verb, undefined, args)) });
    } catch (error) {
      answer({ kind: "failure", id, failure: failureOf(error) });
    }
  });
  answer({ kind: "open" });
} catch (error) {
  answer({ kind: "broken", failure: failureOf(error) });
}

function failureOf(error: unknown): ThreadFailure {
  if (isAppError(error)) return { code: error.code, message: error.message, hint: error.hint };
  return {
    code: null,
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    hint: undefined,
  };
}
