import { statfsSync } from "node:fs";
import { AppError } from "../../../shared/errors.ts";
import { shortBytes } from "../../../shared/text.ts";
import type { Db } from "./db.ts";
import { notePagesLeft } from "./log-row.ts";
import { isBusy, sleep, transaction } from "./transaction.ts";

/** What else is on those file systems needs some room, too. */
const SPARE_BYTES = 16 * 1024 * 1024;
/** A busy service lets go of the lock for moments only; one that reads, between two reads. */
const LONGEST_TRY_MS = 30_000;
const LOOK_EVERY_MS = 1;

/**
 * Writes the log anew without what is free in it, and empties the -wal: no byte of a row that was removed is left in either.
 * SQLite does it in one transaction: cut off at any instant, the log is as it was. Throws where somebody holds it up for long.
 */
export function writeAnew(db: Db): void {
  // Else what was removed stays in the unused part of a page that is copied.
  db.pragma("secure_delete = ON");
  db.pragma("busy_timeout = 0");
  // Whoever has the log open beside us finds its file smaller than any number of pages that we could name.
  untilFree(transaction(db, () => notePagesLeft(db, 0)));
  untilFree(() => db.exec("VACUUM"));
  untilFree(transaction(db, () => notePagesLeft(db)));
  const busy = db.prepare<[], number>("PRAGMA wal_checkpoint(TRUNCATE)").pluck();
  const giveUpAt = Date.now() + LONGEST_TRY_MS;
  while (busy.get() !== 0) {
    if (Date.now() > giveUpAt) throw heldUp();
    sleep(LOOK_EVERY_MS);
  }
}

function untilFree(work: () => unknown): void {
  const giveUpAt = Date.now() + LONGEST_TRY_MS;
  for (;;) {
    try {
      work();
      return;
    } catch (error) {
      if (!isBusy(error) || Date.now() > giveUpAt) throw error;
      sleep(LOOK_EVERY_MS);
    }
  }
}

function heldUp(): AppError {
  return new AppError("STORE_UNAVAILABLE", "a process that reads the log keeps its -wal from being emptied", {
    hint: "End what reads it, as a backup or a query, and run it again.",
  });
}

/** The copy lies in the one directory, and goes through the -wal in the other. */
export function insistOnRoom(db: Db, directories: readonly string[]): void {
  const numberOf = (pragma: string) => Number(db.pragma(pragma, { simple: true }));
  const needed = (numberOf("page_count") - numberOf("freelist_count")) * numberOf("page_size") + SPARE_BYTES;
  for (const directory of directories) {
    const { bavail, bsize } = statfsSync(directory);
    if (bavail * bsize >= needed) continue;
    throw new AppError(
      "STORE_UNAVAILABLE",
      `there is no room to compact the log: ${directory} needs ${shortBytes(needed)}, ${shortBytes(bavail * bsize)} are free`,
      { hint: "Free space there; for the copy SQLITE_TMPDIR names another directory. Nothing was changed." },
    );
  }
}
