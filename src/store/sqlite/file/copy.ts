import { rmSync, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { AppError } from "../../../shared/errors.ts";
import { shortBytes } from "../../../shared/text.ts";
import type { Db } from "./db.ts";
import { isDamage, unavailable } from "./store-errors.ts";

/** 1 MB at a time: a millisecond or two, after which others have their turn. */
const PAGES_PER_STEP = 250;
/** So often it is begun anew because another process wrote; then it is done in one go. */
const MOST_RESTARTS = 3;
const ALL_PAGES = 0x7fff_ffff;
/** What else is on that file system needs some room, too, most of all the log itself. */
const SPARE_BYTES = 64 * 1024 * 1024;

/**
 * Copies the log page by page into the file at `path`, consistent as of the last step. What `db` itself writes meanwhile
 * goes into the copy, too, so that the one process that writes all the time, `serve`, holds no read transaction and
 * keeps no checkpoint waiting. Where other processes write it is begun anew, and at last done in one read transaction.
 * Whoever removes the empty file that stands there ends the copy. Throws `STORE_UNAVAILABLE` where the log cannot be read,
 * `CONFIG_INVALID` where the copy cannot be written.
 */
export async function copyLog(db: Db, path: string): Promise<void> {
  insistOnRoom(db, dirname(path));
  let [before, restarts] = [Number.POSITIVE_INFINITY, 0];
  const inode = inodeOf(path);
  const isWanted = () => inode === undefined || inodeOf(path) === inode;
  try {
    await db.backup(path, {
      progress: ({ remainingPages }) => {
        if (!isWanted()) throw new Error("the copy was removed");
        if (remainingPages > before) restarts += 1;
        before = remainingPages;
        return restarts < MOST_RESTARTS ? PAGES_PER_STEP : ALL_PAGES;
      },
    });
  } catch (error) {
    // SQLite made it anew.
    if (!isWanted()) for (const left of [path, `${path}-journal`]) rmSync(left, { force: true });
    if (!db.open) throw unavailable("the log was closed while it was copied", "Try again.", error);
    throw isDamage(error) ? error : uncopied(path, error);
  }
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

function insistOnRoom(db: Db, directory: string): void {
  const numberOf = (pragma: string) => Number(db.pragma(pragma, { simple: true }));
  const needed = numberOf("page_count") * numberOf("page_size") + SPARE_BYTES;
  const { bavail, bsize } = statfsSync(directory);
  if (bavail * bsize >= needed) return;
  throw new AppError(
    "CONFIG_INVALID",
    `there is no room for a backup in ${directory}: it needs ${shortBytes(needed)}, ${shortBytes(bavail * bsize)} are free`,
    { hint: "Free space there, keep fewer (backup.keep_daily), or set another backup.dir." },
  );
}

/** The log is read all the time: what fails here alone is the other file. */
function uncopied(path: string, cause: unknown): AppError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
  const isFull = /^SQLITE_(FULL|IOERR)/.test(code);
  return new AppError(
    "CONFIG_INVALID",
    `${path} ${isFull ? "cannot be written to its end: the disk is full or fails" : `cannot be written (${code})`}`,
    { hint: `Check the disk of ${dirname(path)}, and who may write there.`, cause },
  );
}
