import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { isAppError } from "../../shared/errors.ts";
import { thisProcess } from "../../shared/process-identity.ts";
import { copyLog } from "./file/copy.ts";
import { thisThread } from "../../shared/thread-time.ts";
import type { Db } from "./file/db.ts";
import { isLockedOut, storeErrors, storeErrorsLater } from "./file/store-errors.ts";
import { prepareLate } from "./file/late-statements.ts";
import type { Notices } from "./file/notices.ts";
import { noteBusy } from "./file/transaction.ts";
import { createGroupCommit } from "./commits/group-commit.ts";
import { createSharedCommit } from "./commits/shared-commit.ts";
import type { FromThread, ThreadFailure, ThreadOptions, ToThread } from "./messages.ts";
import { openLiveLog } from "./live-log.ts";
import { createSlicedWork } from "./commits/sliced-work.ts";
import { isSliced } from "./file/slices.ts";
import { type VerbName, VERBS } from "../contract/verbs.ts";
import { createVerbs } from "./verbs.ts";
import { watchOthers } from "./file/watch.ts";

/**
 * The store's own thread: it alone waits for the disk. What deliveries write shares commits, and so do appends; other
 * verbs run as they come, between two commits, those over many rows slice by slice.
 */
const { stateDir, isExpected = false, staysUp = false }: ThreadOptions = workerData;
const port = parentPort;
if (!port) throw new Error("the store's thread was started as a program");
const answer = (message: FromThread) => port.postMessage(message);
const path = join(stateDir, "log.db");

/** What works on the log while one file of it is open. */
function attach(db: Db, notices: Notices) {
  prepareLate(db);
  const verbs = createVerbs(db, thisProcess(), { now: Date.now });
  const call = (name: VerbName, args: unknown[]): unknown => {
    const verb: (...args: never[]) => unknown = verbs[name];
    try {
      return storeErrors(path, () => Reflect.apply(verb, undefined, args));
    } catch (error) {
      if (isAppError(error)) noteBusy(db, error.cause);
      throw error;
    }
  };
  const appends = createGroupCommit((events) => storeErrors(path, () => verbs.append(events)));
  const deliveries = createSharedCommit(db, path);
  const sliced = createSlicedWork(path);
  const stopWatching = watchOthers(db, notices, () => answer({ kind: "changed" }));
  notices.listenBeside((isWorking) => answer({ kind: "beside", isWorking }));
  return {
    call,
    copyTo: (file: string) => storeErrorsLater(path, () => copyLog(db, file)),
    appends,
    deliveries,
    sliced,
    finish: () => {
      appends.finish();
      deliveries.finish();
      sliced.finish();
      stopWatching();
    },
  };
}

try {
  const log = openLiveLog({
    stateDir,
    isExpected,
    staysUp,
    attach,
    onFaults: (faults) => answer({ kind: "faults", faults }),
  });
  port.on("message", (message: ToThread) => {
    if (message.kind === "close") {
      log.close();
      return port.close();
    }
    const { id } = message;
    const resolve = (result: unknown) => answer({ kind: "result", id, result });
    const fail = (error: unknown) => answer({ kind: "failure", id, failure: failureOf(error) });
    const reject = (error: unknown) => {
      log.hear(error);
      fail(error);
    };
    if (message.kind === "ask") return resolve(undefined);
    try {
      if (message.kind === "append")
        return log.intake().appends.add({ events: message.events, resolve, reject });
      // What a copy meets of a log that was lost meanwhile is no damage, and whoever looks for damage finds it.
      if (message.kind === "copy") return void log.parts().copyTo(message.file).then(resolve, fail);
      const { name, args } = message;
      const { call, deliveries, sliced } = log.parts();
      if (VERBS[name].shares) return deliveries.add({ run: () => call(name, args), resolve, reject });
      const result = call(name, args);
      if (isSliced(result)) sliced.add({ work: result, resolve, reject });
      else resolve(result);
    } catch (error) {
      reject(error);
    }
  });
  answer({ kind: "open", thread: thisThread() });
} catch (error) {
  answer({ kind: "broken", failure: failureOf(error) });
}

function failureOf(error: unknown): ThreadFailure {
  if (isAppError(error)) {
    const { code, message, hint } = error;
    return { code, message, hint, isLockedOut: isLockedOut(error) };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: null, message, hint: undefined, isLockedOut: false };
}
