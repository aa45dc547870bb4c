import { parentPort } from "node:worker_threads";
import Database from "better-sqlite3";
import { isAppError } from "../../shared/errors.ts";
import { checkCopy, finishCopy } from "./file/check-copy.ts";
import { storeErrors } from "./file/store-errors.ts";
import { vacuumLog } from "./vacuum-log.ts";
import type { BackupAnswer, BackupTask } from "./backups.ts";

/** Looks through copies of the log, and writes it anew, in a thread of its own: one of a million invites takes some ten seconds. */
const port = parentPort;
if (!port) throw new Error("the backups' thread was started as a program");

// Else its native part would be looked for with the first task, when an upgrade may have taken it away.
new Database(":memory:").close();
const ready: BackupAnswer = { ready: true };
port.postMessage(ready);
port.on("message", ({ id, task, path, temporaryDir }: BackupTask) => {
  try {
    const checked = storeErrors(path, () => {
      if (task === "vacuum") vacuumLog(path, temporaryDir);
      else return task === "finish" ? finishCopy(path) : checkCopy(path);
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
