import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { count, shortBytes } from "../../../shared/text.ts";
import { PARTIAL } from "./backup-names.ts";
import type { Db } from "./db.ts";
import { unavailable } from "./store-errors.ts";

/** What must not be lost. Rows of the others come and go while a copy is made. */
const LASTING = ["events", "invites", "connections", "pushes", "attempts"] as const;
/** A copy needs no more than the log; what else is on that file system needs some room, too. */
const SPARE_BYTES = 16 * 1024 * 1024;

/**
 * Writes a whole copy of the log to `to`, consistent while others write, private, checked and on disk before it gets its
 * name; nothing that stands there is replaced. Tells from itself that it is a copy, so that whoever runs on the log sees
 * when it was put in its place. Throws `STORE_UNAVAILABLE`, and leaves nothing, where it cannot.
 */
export function backUp(db: Db, to: string): void {
  if (existsSync(to)) throw unavailable(`${to} exists already`, "Choose another name, or move it away.");
  insistOnRoom(db, to);
  const partial = `${to}${PARTIAL}`;
  rmSync(partial, { force: true });
  closeSync(openSync(partial, "ax", 0o600));
  try {
    const before = countsIn(db);
    db.prepare("VACUUM INTO ?").run(partial);
    markAndCheck(partial, { before, after: countsIn(db) });
    toDisk(partial);
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

type Counts = ReadonlyMap<string, number>;

/** Rows of each lasting table that a log of this version has. */
function countsIn(db: Db): Counts {
  const tables = db.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
  return new Map(
    LASTING.filter((table) => tables.includes(table)).map((table) => [
      table,
      Number(db.prepare(`SELECT count(*) FROM ${table}`).pluck().get()),
    ]),
  );
}

function markAndCheck(partial: string, { before, after }: { before: Counts; after: Counts }): void {
  const copy = new Database(partial);
  try {
    copy.pragma("journal_mode = MEMORY");
    const isMarked = copy.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'log_file'").get();
    if (isMarked) copy.exec("UPDATE log_file SET copy = lower(hex(randomblob(16)))");
    const found = copy.pragma("integrity_check(1)", { simple: true });
    if (found !== "ok") throw badCopy(partial, String(found));
    const counts = countsIn(copy);
    for (const [table, atFirst] of before) {
      const [n, atLast] = [counts.get(table) ?? 0, after.get(table) ?? 0];
      if (n < Math.min(atFirst, atLast) || n > Math.max(atFirst, atLast))
        throw badCopy(partial, `${table}: ${count(n, "row")} instead of ${atFirst}`);
    }
  } finally {
    copy.close();
  }
}

function badCopy(partial: string, found: string): Error {
  return unavailable(
    `the copy of the log is not whole: ${found}`,
    `Check the disk and the system's journal. ${partial} was removed.`,
  );
}

/** Of a file that no connection has open, or a directory. */
function toDisk(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
