import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { unmarkCopied } from "../../shared/copied-log.ts";
import { statOf } from "./file/file-at.ts";
import { openLog, refuseRestoring } from "./file/open.ts";
import { storeErrors } from "./file/store-errors.ts";

export type AcceptedLog = "created" | "accepted" | "unchanged";

export interface AcceptOptions {
  stateDir: string;
  now: number;
  /** Does a service say that what stands there is not its log? */
  isMissed: boolean;
}

/**
 * An operator's word that what stands in the log's place is the log from now on: a new one where there is none. A
 * service that runs on another file takes it up within seconds. Throws `STORE_UNAVAILABLE` where no log can be.
 */
export function acceptLog({ stateDir, now, isMissed }: AcceptOptions): AcceptedLog {
  const path = join(stateDir, "log.db");
  return storeErrors(path, () => {
    refuseRestoring(path);
    // Whatever a database got since: the file is the log again.
    const wasCopied = unmarkCopied(stateDir);
    const isNew = !statOf(path)?.size;
    if (isNew) {
      // Of a log that is gone; SQLite would take it for the new one's.
      if (statOf(`${path}-wal`)) renameSync(`${path}-wal`, `${path}-wal.${now}.aside`);
      rmSync(`${path}-shm`, { force: true });
    }
    const db = openLog(stateDir, { now });
    try {
      if (!isNew && !isMissed && !wasCopied) return "unchanged";
      db.prepare("UPDATE log_file SET accepted_at = ?").run(now);
    } finally {
      db.close();
    }
    return isNew ? "created" : "accepted";
  });
}
