import { statfsSync } from "node:fs";
import { join } from "node:path";
import { servedLog } from "../../core/advice/served-log.ts";
import { AppError } from "../../shared/errors.ts";
import { thisProcess } from "../../shared/process-identity.ts";
import { shortBytes } from "../../shared/text.ts";
import { createServices } from "./coordination/services.ts";
import type { Db } from "./file/db.ts";
import { notePagesLeft, statOf } from "./file/identity.ts";
import { openLog } from "./file/open.ts";
import { storeErrors } from "./file/store-errors.ts";
import { transaction } from "./file/transaction.ts";

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

/** What else is on those file systems needs some room, too. */
const SPARE_BYTES = 16 * 1024 * 1024;

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
      for (const directory of [stateDir, temporaryDir]) insistOnRoom(db, directory);
      const bytesBefore = size();
      // Whoever has the log open beside us finds its file smaller than any number of pages that we could name.
      transaction(db, () => notePagesLeft(db, 0))();
      db.pragma("auto_vacuum = INCREMENTAL");
      db.exec("VACUUM");
      transaction(db, () => notePagesLeft(db))();
      db.pragma("wal_checkpoint(TRUNCATE)");
      return { bytesBefore, bytesAfter: size() };
    } finally {
      db.close();
    }
  });
}

/** The copy lies in the one directory, and goes through the -wal in the other. */
function insistOnRoom(db: Db, directory: string): void {
  const numberOf = (pragma: string) => Number(db.pragma(pragma, { simple: true }));
  const needed = (numberOf("page_count") - numberOf("freelist_count")) * numberOf("page_size") + SPARE_BYTES;
  const { bavail, bsize } = statfsSync(directory);
  if (bavail * bsize >= needed) return;
  throw new AppError(
    "STORE_UNAVAILABLE",
    `there is no room to compact the log: ${directory} needs ${shortBytes(needed)}, ${shortBytes(bavail * bsize)} are free`,
    { hint: "Free space there; for the copy SQLITE_TMPDIR names another directory. Nothing was changed." },
  );
}
