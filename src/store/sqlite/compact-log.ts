import { join } from "node:path";
import { servedLog } from "../../core/advice/served-log.ts";
import { thisProcess } from "../../shared/process-identity.ts";
import { createServices } from "./coordination/services.ts";
import { statOf } from "./file/file-at.ts";
import { openLog } from "./file/open.ts";
import { storeErrors } from "./file/store-errors.ts";
import { insistOnRoom, writeAnew } from "./file/write-anew.ts";

export interface CompactOptions {
  stateDir: string;
  now: number;
  /** Where SQLite keeps the copy that it makes on the way. */
  temporaryDir: string;
}

export interface Compacted {
  bytesBefore: number;
  bytesAfter: number;
}

/**
 * Writes the log anew without what is free in it, and so that free pages can be given back from then on. SQLite does it in
 * one transaction: cut off at any instant, the log is as it was. Throws `STORE_UNAVAILABLE`, and changes nothing, while a
 * service lives on the log or where there is no room.
 */
export function compactLog({ stateDir, now, temporaryDir }: CompactOptions): Compacted {
  const path = join(stateDir, "log.db");
  const size = () => Number(statOf(path)?.size ?? 0n);
  return storeErrors(path, () => {
    const db = openLog(stateDir, { now });
    try {
      if (createServices(db, thisProcess()).runningServices().length > 0) throw servedLog();
      insistOnRoom(db, [stateDir, temporaryDir]);
      const bytesBefore = size();
      db.pragma("auto_vacuum = INCREMENTAL");
      writeAnew(db);
      return { bytesBefore, bytesAfter: size() };
    } finally {
      db.close();
    }
  });
}
