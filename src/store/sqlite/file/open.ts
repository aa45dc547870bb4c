import { closeSync, existsSync, openSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { AppError } from "../../../shared/errors.ts";
import { makePrivateDir } from "../../../shared/private-dir.ts";
import { thisProcess } from "../../../shared/process-identity.ts";
import type { Db } from "./db.ts";
import { MIGRATIONS } from "./migrations.ts";
import { BUSY_TIMEOUT_MS, transaction } from "./transaction.ts";

/** "JCLG": tells our file from anybody else's SQLite file. */
const APPLICATION_ID = 0x4a434c47;

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
}

export function openLog(stateDir: string, options: OpenOptions): Db {
  const path = join(stateDir, "log.db");
  const db = storeErrors(path, () => {
    createPrivately(path);
    return new Database(path, { timeout: BUSY_TIMEOUT_MS });
  });
  try {
    storeErrors(path, () => {
      refuseOldSqlite(db);
      refuseForeignFile(db, path);
      db.pragma("journal_mode = WAL");
      db.pragma("synchronous = FULL");
      db.pragma("foreign_keys = ON");
      db.pragma("cache_size = -16384");
      migrate(db, path, options.migrations ?? MIGRATIONS, options.now);
      if (options.toRead) db.pragma("query_only = ON");
      else insistOnDurability(db);
    });
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** The file must be 0600 before SQLite opens it: the -wal and -shm files copy its mode. */
function createPrivately(path: string): void {
  makePrivateDir(dirname(path));
  if (!existsSync(path)) closeSync(openSync(path, "a", 0o600));
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

function refuseForeignFile(db: Db, path: string): void {
  const id = db.pragma("application_id", { simple: true });
  const tables = db.prepare("SELECT count(*) FROM sqlite_schema").pluck().get();
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
        hint: `This program knows version ${migrations.length}. Install the newer one again.`,
      },
    );
  };
  refuseNewer();
  if (version() > 0 && version() < migrations.length) backUp(db, path, version(), now);
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

/** Each of two starters makes its own: whichever migrates first has a copy of what was before. */
function backUp(db: Db, path: string, version: number, now: number): void {
  const time = new Date(now).toISOString().replaceAll(/[:.]/g, "-");
  const copy = `${path}.v${version}-${time}-${thisProcess().pid}.backup`;
  closeSync(openSync(copy, "ax", 0o600));
  try {
    db.prepare("VACUUM INTO ?").run(copy);
  } catch (error) {
    rmSync(copy);
    throw error;
  }
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

const FULL: [what: string, hint: string] = [
  "cannot grow: the disk is full",
  "Free space on that file system; nothing acknowledged is lost.",
];

/** The first that the code begins with. */
const REASONS: Record<string, [what: string, hint: string]> = {
  SQLITE_BUSY: ["is locked by another process", "Find it with: fuser -v log.db"],
  SQLITE_PROTOCOL: ["is locked by another process", "Find it with: fuser -v log.db"],
  SQLITE_FULL: FULL,
  // No room for the -shm file.
  SQLITE_IOERR_SHMSIZE: FULL,
  SQLITE_READONLY: ["cannot be written", "Check who owns the state directory and its files."],
  SQLITE_CANTOPEN: [
    "cannot be opened",
    "Check that the state directory exists, belongs to you and can be written to.",
  ],
  SQLITE_NOTADB: ["is not a SQLite file", "Move it away, or restore a backup in its place."],
  SQLITE_CORRUPT: ["is damaged", "Stop the service and restore the last backup."],
  SQLITE_IOERR: ["cannot be read or written", "Check the disk and the system's journal."],
};

const FILE_REASONS: Record<string, string> = {
  EACCES: "SQLITE_READONLY",
  EROFS: "SQLITE_READONLY",
  ENOSPC: "SQLITE_FULL",
};

/** Runs `work`; what the file system or SQLite refuses becomes `STORE_UNAVAILABLE` in the operator's words. */
export function storeErrors<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && typeof cause.code === "string")) throw cause;
    const isFileError = "syscall" in cause;
    const code = cause.code;
    const key = isFileError
      ? (FILE_REASONS[code] ?? "SQLITE_CANTOPEN")
      : Object.keys(REASONS).find((name) => code.startsWith(name));
    const reason = key === undefined ? undefined : REASONS[key];
    if (!reason) throw cause;
    throw new AppError("STORE_UNAVAILABLE", `${path} ${reason[0]}`, { hint: reason[1], cause });
  }
}
