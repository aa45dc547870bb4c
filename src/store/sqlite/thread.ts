import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { isAppError } from "../../shared/errors.ts";
import { thisProcess } from "../../shared/process-identity.ts";
import { openLog, storeErrors } from "./file/open.ts";
import { createGroupCommit } from "./commits/group-commit.ts";
import { createSharedCommit } from "./commits/shared-commit.ts";
import type { FromThread, ThreadFailure, ThreadOptions, ToThread } from "./messages.ts";
import { createSlicedWork } from "./commits/sliced-work.ts";
import { isSliced } from "./file/slices.ts";
import { type VerbName, VERBS } from "./forward.ts";
import { createVerbs } from "./verbs.ts";
import { watchOthers } from "./file/watch.ts";

/**
 * The store's own thread: it alone waits for the disk. What deliveries write shares commits, and so do appends; other
 * verbs run as they come, between two commits, those over many rows slice by slice.
 */
const { stateDir }: ThreadOptions = workerData;
const port = parentPort;
if (!port) throw new Error("the store's thread was started as a program");
const answer = (message: FromThread) => port.postMessage(message);
const path = join(stateDir, "log.db");

try {
  const db = storeErrors(path, () => openLog(stateDir, { now: Date.now() }));
  const verbs = createVerbs(db, thisProcess(), { now: Date.now });
  const appends = createGroupCommit((events) => storeErrors(path, () => verbs.append(events)));
  const stopWatching = watchOthers(db, () => answer({ kind: "changed" }));

  const call = (name: VerbName, args: unknown[]): unknown => {
    const verb: (...args: never[]) => unknown = verbs[name];
    return storeErrors(path, () => Reflect.apply(verb, undefined, args));
  };
  const deliveries = createSharedCommit(db, path);
  const sliced = createSlicedWork(path);
  const close = () => {
    appends.finish();
    deliveries.finish();
    sliced.finish();
    stopWatching();
    db.close();
    port.close();
  };

  port.on("message", (message: ToThread) => {
    if (message.kind === "close") return close();
    const { id } = message;
    const resolve = (result: unknown) => answer({ kind: "result", id, result });
    const reject = (error: unknown) => answer({ kind: "failure", id, failure: failureOf(error) });
    if (message.kind === "append") return appends.add({ events: message.events, resolve, reject });
    if (VERBS[message.name].shares) {
      const { name, args } = message;
      return deliveries.add({ run: () => call(name, args), resolve, reject });
    }
    try {
      const result = call(message.name, message.args);
      if (isSliced(result)) sliced.add({ work: result, resolve, reject });
      else resolve(result);
    } catch (error) {
      reject(error);
    }
  });
  answer({ kind: "open" });
} catch (error) {
  answer({ kind: "broken", failure: failureOf(error) });
}

function failureOf(error: unknown): ThreadFailure {
  if (isAppError(error)) return { code: error.code, message: error.message, hint: error.hint };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: null, message, hint: undefined };
}
