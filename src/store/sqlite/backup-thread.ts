import { parentPort, workerData } from "node:worker_threads";
import Database from "better-sqlite3";
import { isAppError } from "../../shared/errors.ts";
import { checkCopy, finishCopy } from "./file/check-copy.ts";
import { storeErrors } from "./file/store-errors.ts";
import { vacuumLog } from "./vacuum-log.ts";
import type { BackupAnswer, BackupTask, BackupThreadOptions } from "./backups.ts";

/** Looks through copies of the log, and writes it anew, in a thread of its own: one of a million invites takes some ten seconds. */
const port = parentPort;
if (!port) throw new Error("the backups' thread was started as a program");

// Else its native part would be looked for with the first task, when an upgrade may have taken it away.
new Database(":memory:").close();
const ready: BackupAnswer = { ready: true };
port.postMessage(ready);
const { isUnwanted }: BackupThreadOptions = workerData;
/** A thread that is ended from outside while SQLite hands over a row takes the whole process with it. */
const step = () => {
  if (Atomics.load(isUnwanted, 0) !== 0) throw new Error("nobody waits for it any more");
};
port.on("message", (message: BackupTask | "close") => {
  if (message === "close") return port.close();
  const { id, task, path, temporaryDir } = message;
  try {
    const checked = storeErrors(path, () => {
      if (task !== "vacuum") return task === "finish" ? finishCopy(path, step) : checkCopy(path, step);
      vacuumLog(path, temporaryDir);
      return null;
    });
    port.postMessage({ id, checked } satisfies BackupAnswer);
  } catch (error) {
    const { code, message, hint } = isAppError(error)
      ? error
      : {
          code: null,
          message: error instanceof Error ? (error.stack ?? "") : String(error),
          hint: undefined,
        };
    port.postMessage({ id, failure: { code, message, hint } } satisfies BackupAnswer);
  }
});
