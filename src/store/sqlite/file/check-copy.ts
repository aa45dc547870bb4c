import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, statSync } from "node:fs";
import Database from "better-sqlite3";
import { BACKUPS_COMMAND } from "../../../core/advice/command-lines.ts";
import { AppError } from "../../../shared/errors.ts";
import { count } from "../../../shared/text.ts";
import { toDisk } from "../../../shared/to-disk.ts";
import type { BackupCounts, CheckedLog } from "../../contract/backups.ts";
import type { Db } from "./db.ts";
import { APPLICATION_ID, MIGRATIONS } from "./migrations.ts";
import { isDamage, unavailable } from "./store-errors.ts";

/** A copy of the log that stands by itself: made ready, and looked through from its first byte to its last. */

const LASTING = ["events", "invites", "connections", "pushes", "attempts"] as const;
/** What triggers keep with each row, in the same transaction. */
const KEPT_COUNTS = { invites: "invite_counts", pushes: "push_counts" } as const;
const CHUNK_BYTES = 4 * 1024 * 1024;
/** Called between two statements; throws where nobody waits for the answer any more. */
type Step = () => void;

/**
 * Takes the copy out of WAL mode, so that it opens where nobody may write, and marks it, so that whoever runs on the log
 * sees when it was put in its place.
 */
export function finishCopy(path: string, step: Step = () => {}): CheckedLog {
  try {
    markCopy(path, step);
  } catch (error) {
    throw isDamage(error) ? notWhole(path, wordsOf(error)) : error;
  }
  const checked = checkCopy(path, step);
  toDisk(path);
  return checked;
}

function markCopy(path: string, step: Step): void {
  step();
  const copy = new Database(path);
  try {
    copy.pragma("journal_mode = DELETE");
    copy.pragma("synchronous = OFF");
    step();
    const isMarked = copy.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'log_file'").get();
    if (isMarked) copy.exec("UPDATE log_file SET copy = lower(hex(randomblob(16)))");
  } finally {
    copy.close();
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : "damaged";
}

/** Throws `STORE_UNAVAILABLE`, and `STORE_TOO_NEW` for what a newer program wrote. */
export function checkCopy(path: string, step: Step = () => {}): CheckedLog {
  const db = openToRead(path);
  try {
    step();
    if (db.pragma("application_id", { simple: true }) !== APPLICATION_ID)
      throw unavailable(`${path} is no copy of a log`, `Name a backup: ${BACKUPS_COMMAND}`);
    const version = Number(db.pragma("user_version", { simple: true }));
    if (version > MIGRATIONS.length) throw tooNew(path, version);
    const found = String(db.pragma("integrity_check(1)", { simple: true }));
    if (found !== "ok") throw notWhole(path, found);
    const counts = countsIn(db, step);
    insistOnKeptCounts(db, path, counts, step);
    const logId = idIn(db);
    return { logId, version, counts, ...digestOf(path, step) };
  } catch (error) {
    throw isDamage(error) ? notWhole(path, wordsOf(error)) : error;
  } finally {
    db.close();
  }
}

function openToRead(path: string): Db {
  try {
    const db = new Database(path, { readonly: true, fileMustExist: true, timeout: 2_000 });
    // Nothing of a file is read when it is opened.
    db.pragma("schema_version");
    return db;
  } catch (cause) {
    if (isDamage(cause)) throw notWhole(path, wordsOf(cause));
    throw unavailable(`${path} cannot be read`, "Check its name, and who may read it.", cause);
  }
}

export function tooNew(path: string, version: number): AppError {
  return new AppError(
    "STORE_TOO_NEW",
    `${path} was written by a newer jc-integrations (version ${version})`,
    {
      hint: `This program knows version ${MIGRATIONS.length}. Install the newer one again.`,
    },
  );
}

function notWhole(path: string, found: string): AppError {
  return unavailable(`${path} is not whole: ${found}`, `Take another one: ${BACKUPS_COMMAND}`);
}

function countsIn(db: Db, step: Step): BackupCounts {
  const tables = db.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
  const rows = (table: string) => {
    step();
    return tables.includes(table) ? Number(db.prepare(`SELECT count(*) FROM ${table}`).pluck().get()) : 0;
  };
  const [events, invites, connections, pushes, attempts] = LASTING.map(rows);
  return {
    events: events ?? 0,
    invites: invites ?? 0,
    connections: connections ?? 0,
    pushes: pushes ?? 0,
    attempts: attempts ?? 0,
  };
}

function insistOnKeptCounts(db: Db, path: string, counts: BackupCounts, step: Step): void {
  for (const table of ["invites", "pushes"] as const) {
    step();
    const kept = Number(db.prepare(`SELECT coalesce(sum(n), 0) FROM ${KEPT_COUNTS[table]}`).pluck().get());
    if (kept !== counts[table])
      throw notWhole(path, `${table}: ${count(counts[table], "row")} instead of ${kept}`);
  }
}

function idIn(db: Db): string | null {
  const isThere = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'log_file'").get();
  return isThere ? (db.prepare<[], string>("SELECT id FROM log_file").pluck().get() ?? null) : null;
}

function digestOf(path: string, step: Step): Pick<CheckedLog, "bytes" | "sha256"> {
  const hash = createHash("sha256");
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const file = openSync(path, "r");
  try {
    for (let n = readSync(file, chunk); n > 0; n = readSync(file, chunk)) {
      step();
      hash.update(chunk.subarray(0, n));
    }
  } finally {
    closeSync(file);
  }
  return { bytes: statSync(path).size, sha256: hash.digest("hex") };
}
