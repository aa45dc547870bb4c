import { closeSync, existsSync, openSync, renameSync, rmSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { shortBytes } from "../../../shared/text.ts";
import { toDisk } from "../../../shared/to-disk.ts";
import { PARTIAL } from "./backup-names.ts";
import { finishCopy } from "./check-copy.ts";
import type { Db } from "./db.ts";
import { unavailable } from "./store-errors.ts";

/** A copy needs no more than the log; what else is on that file system needs some room, too. */
const SPARE_BYTES = 16 * 1024 * 1024;

/**
 * Writes a whole copy of the log to `to`, as it is before a migration: consistent while others write, private, checked and
 * on disk before it gets its name; nothing that stands there is replaced. Throws `STORE_UNAVAILABLE`, and leaves nothing, where it cannot.
 */
export function backUp(db: Db, to: string): void {
  if (existsSync(to)) throw unavailable(`${to} exists already`, "Choose another name, or move it away.");
  insistOnRoom(db, to);
  const partial = `${to}${PARTIAL}`;
  rmSync(partial, { force: true });
  closeSync(openSync(partial, "ax", 0o600));
  try {
    db.prepare("VACUUM INTO ?").run(partial);
    finishCopy(partial);
    renameSync(partial, to);
    toDisk(dirname(to));
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

function insistOnRoom(db: Db, to: string): void {
  const numberOf = (pragma: string) => Number(db.pragma(pragma, { simple: true }));
  const needed = (numberOf("page_count") - numberOf("freelist_count")) * numberOf("page_size") + SPARE_BYTES;
  const { bavail, bsize } = statfsSync(dirname(to));
  if (bavail * bsize >= needed) return;
  throw unavailable(
    `there is no room for a backup in ${dirname(to)}: it needs ${shortBytes(needed)}, ${shortBytes(bavail * bsize)} are free`,
    "Free space on that file system and start again; nothing was changed.",
  );
}
