import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { NEW_LOG_COMMAND, restoreCommand } from "../../../core/advice/command-lines.ts";
import { copiedLog } from "../../../core/advice/copied-log.ts";
import { copiedMark } from "../../../shared/copied-log.ts";
import { AppError } from "../../../shared/errors.ts";
import { makePrivateDir } from "../../../shared/private-dir.ts";
import { closeToOthers, createOnce, misplacedDatabase } from "../../../shared/private-files.ts";
import { thisProcess } from "../../../shared/process-identity.ts";
import { backUp } from "./backup.ts";
import { backupBeforeMigration, backupOfVersion, leftovers } from "./backup-names.ts";
import type { Db } from "./db.ts";
import { isOne, statOf } from "./file-at.ts";
import { APPLICATION_ID, MIGRATIONS } from "./migrations.ts";
import { storeErrors, unavailable } from "./store-errors.ts";
import { LONGEST_WAIT_MS, sleep, transaction } from "./transaction.ts";

/** Older ones can corrupt a WAL that two processes share (sqlite.org/wal.html#walresetbug). */
const OLDEST_SAFE_SQLITE = [3, 51, 3] as const;

export interface OpenOptions {
  migrations?: readonly string[];
  now: number;
  /**
   * For who only looks: nothing is written, so that it works on a full disk while a service runs there. A log of an
   * older version is brought up to date first.
   */
  toRead?: boolean;
  /** There must be a log already: none, or an empty one, is not taken for a new one. */
  isExpected?: boolean;
  /** At a time, for the lock. */
  longestWaitMs?: number;
}

/** A -wal that stays longer than this after a reader held it up is cut. */
const LARGEST_IDLE_WAL_BYTES = 16 * 1024 * 1024;
/** `serve` mends a log whose -wal was removed within a second; who opens it meanwhile would spoil that. */
const MENDED_WITHIN_MS = 2_500;

export function openLog(stateDir: string, options: OpenOptions): Db {
  const path = join(stateDir, "log.db");
  const before = storeErrors(path, () => prepareFile(path, options));
  const { longestWaitMs = LONGEST_WAIT_MS } = options;
  const opened = storeErrors(path, () => new Database(path, { timeout: longestWaitMs }));
  const db: Db = Object.assign(opened, { longestWaitMs });
  try {
    storeErrors(path, () => {
      if (!isOne(statOf(path), before)) throw movedMeanwhile(path);
      refuseOldSqlite(db);
      refuseForeignFile(db, path, options);
      // In WAL mode it would do nothing, nor in a log that has tables.
      if (db.pragma("page_count", { simple: true }) === 0) db.pragma("auto_vacuum = INCREMENTAL");
      db.pragma("journal_mode = WAL");
      db.pragma("synchronous = FULL");
      db.pragma("foreign_keys = ON");
      db.pragma("cache_size = -16384");
      db.pragma(`journal_size_limit = ${LARGEST_IDLE_WAL_BYTES}`);
      migrate(db, path, options.migrations ?? MIGRATIONS, options.now);
      if (options.toRead) db.pragma("query_only = ON");
      else {
        insistOnDurability(db);
        // Whoever copies holds the lock meanwhile.
        refuseCopied(path);
      }
    });
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** The file must be there, and 0600, before SQLite opens it: the -wal and -shm files copy its mode. */
function prepareFile(path: string, { isExpected = false, toRead = false }: OpenOptions) {
  const misplaced = misplacedDatabase(path);
  if (misplaced) throw unavailable(misplaced.message, misplaced.hint);
  refuseRestoring(path);
  if (!toRead) refuseCopied(path);
  closeToOthers(dirname(path));
  const found = statOf(path);
  const [isNothing, isWalThere] = [!found?.size, Boolean(statOf(`${path}-wal`)?.size)];
  if (isNothing && isExpected) throw gone(path, "the vault beside it notes a connection");
  // SQLite would remove it, and with it what only it holds.
  if (isNothing && isWalThere) throw gone(path, "its log.db-wal is there");
  waitForWal(path);
  if (!found) {
    makePrivateDir(dirname(path));
    createOnce(path);
  }
  return statOf(path);
}

/** Its rows are in a database, and others go on with them there. */
function refuseCopied(path: string): void {
  const mark = copiedMark(dirname(path));
  if (mark) throw copiedLog(path, mark);
}

/** Between the old log and the new one nothing is the log: what came there now would be lost. */
export function refuseRestoring(path: string): void {
  if (!statOf(`${path}.restoring`)) return;
  throw unavailable(
    `a backup is being restored to ${path}, or that was cut off`,
    `Wait for it. Where nobody restores, run it again: ${restoreCommand()}`,
  );
}

/** SQLite removes the -shm first and makes it last: without the -wal it shows that somebody else removed that. */
function waitForWal(path: string): void {
  const giveUpAt = Date.now() + MENDED_WITHIN_MS;
  while (statOf(`${path}-shm`) && !statOf(`${path}-wal`) && Date.now() < giveUpAt) sleep(20);
}

function gone(path: string, although: string): AppError {
  return unavailable(
    `${path} is gone or empty, although ${although}`,
    `Bring the log back, or restore a backup: ${restoreCommand()} or, to begin with an empty one: ${NEW_LOG_COMMAND}`,
  );
}

function movedMeanwhile(path: string): AppError {
  return unavailable(`${path} was moved while it was opened`, "Try again.");
}

function refuseOldSqlite(db: Db): void {
  const version = String(db.prepare("SELECT sqlite_version()").pluck().get());
  if (isSafeSqlite(version)) return;
  throw new AppError("STORE_UNAVAILABLE", `SQLite ${version} can corrupt a log that two processes share`, {
    hint: "Install better-sqlite3 12.11 or newer (SQLite 3.51.3 or newer).",
  });
}

export function isSafeSqlite(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  const [wantMajor, wantMinor, wantPatch] = OLDEST_SAFE_SQLITE;
  return (major - wantMajor || minor - wantMinor || patch - wantPatch) >= 0;
}

function refuseForeignFile(db: Db, path: string, { isExpected = false }: OpenOptions): void {
  const id = db.pragma("application_id", { simple: true });
  const tables = db.prepare("SELECT count(*) FROM sqlite_schema").pluck().get();
  if (isExpected && tables === 0) throw gone(path, "the vault beside it notes a connection");
  if (id === APPLICATION_ID || (id === 0 && tables === 0)) return;
  throw new AppError("STORE_UNAVAILABLE", `${path} belongs to another program`, {
    hint: "Point --state-dir at an empty directory, or move that file away.",
  });
}

/** Each migration is one transaction that two starters may race for; the loser finds it done. */
function migrate(db: Db, path: string, migrations: readonly string[], now: number): void {
  const version = () => Number(db.pragma("user_version", { simple: true }));
  const refuseNewer = () => {
    if (version() <= migrations.length) return;
    throw new AppError(
      "STORE_TOO_NEW",
      `${path} was written by a newer jc-integrations (version ${version()})`,
      {
        hint: `This program knows version ${migrations.length}. Install the newer one again. Or stop serve and go back to the backup of before: ${restoreCommand(backupOfVersion(path, migrations.length) ?? undefined)}`,
      },
    );
  };
  refuseNewer();
  if (version() > 0 && version() < migrations.length) {
    const self = thisProcess();
    for (const leftover of leftovers(path, self)) rmSync(leftover, { force: true });
    // Each of two starters makes its own: whichever migrates first has a copy of what was before.
    backUp(db, backupBeforeMigration(path, { version: version(), now, pid: self.pid }));
  }
  const migrateOnce = transaction(db, () => {
    refuseNewer();
    const next = version();
    const sql = migrations[next];
    if (sql === undefined) return;
    db.exec(sql);
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${next + 1}`);
  });
  while (version() < migrations.length) migrateOnce();
}

/** better-sqlite3 is built to fall back to NORMAL in WAL mode, after the first write: so set, write, read back. */
function insistOnDurability(db: Db): void {
  db.pragma("synchronous = FULL");
  transaction(db, () => db.exec("UPDATE counters SET value = value WHERE name = 'version'"))();
  const [mode, journal] = [
    db.pragma("synchronous", { simple: true }),
    db.pragma("journal_mode", { simple: true }),
  ];
  if (mode === 2 && journal === "wal") return;
  throw new AppError(
    "STORE_UNAVAILABLE",
    `SQLite does not keep to synchronous=FULL in WAL (${mode}, ${journal})`,
    {
      hint: "The state directory must be on a local file system.",
    },
  );
}
