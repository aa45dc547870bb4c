import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { NEW_LOG_ANYWAY_COMMAND, restoreCommand } from "../../../core/advice/command-lines.ts";
import { AppError } from "../../../shared/errors.ts";
import { unfitNativePart } from "../../../shared/native-part.ts";
import { newestBackup } from "./backup-names.ts";
import { isBusy } from "./transaction.ts";

type Reason = [what: string, hint: string | ((path: string) => string)];

const FULL: Reason = [
  "cannot grow: the disk is full",
  "Free space on that file system; nothing acknowledged is lost.",
];
const LOCKED: Reason = ["is locked by another process", (path) => `Find it with: fuser -v ${quoted(path)}`];

/** The first that the code begins with. */
const REASONS: Record<string, Reason> = {
  SQLITE_BUSY: LOCKED,
  SQLITE_PROTOCOL: LOCKED,
  SQLITE_FULL: FULL,
  // No room for the -shm file.
  SQLITE_IOERR_SHMSIZE: FULL,
  SQLITE_READONLY: ["cannot be written", "Check who owns the state directory and its files."],
  SQLITE_CANTOPEN: [
    "cannot be opened",
    "Check that the state directory exists, belongs to you and can be written to.",
  ],
  SQLITE_NOTADB: ["is not a SQLite file", restoreCommands],
  SQLITE_CORRUPT: ["is damaged", restoreCommands],
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
    throw storeError(path, cause);
  }
}

/** The same for what takes its time. */
export async function storeErrorsLater<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw storeError(path, cause);
  }
}

/** As `storeErrors` throws it. */
export function storeError(path: string, cause: unknown): unknown {
  if (!(cause instanceof Error && "code" in cause && typeof cause.code === "string")) return cause;
  const isFileError = "syscall" in cause;
  const code = cause.code;
  const key = isFileError
    ? (FILE_REASONS[code] ?? "SQLITE_CANTOPEN")
    : Object.keys(REASONS).find((name) => code.startsWith(name));
  const known = key === undefined ? undefined : REASONS[key];
  const isOfPlace = key === "SQLITE_CANTOPEN" || key === "SQLITE_READONLY";
  const reason = (isOfPlace ? reasonOfPlace(path) : null) ?? known;
  if (!reason) return unfitNativePart("better-sqlite3", cause) ?? cause;
  const [what, hint] = reason;
  return unavailable(`${path} ${what}`, typeof hint === "string" ? hint : hint(path), cause);
}

/** SQLite says of a directory only that it did not work; null where it can be written. */
function reasonOfPlace(path: string): Reason | null {
  let directory = dirname(path);
  while (!existsSync(directory) && dirname(directory) !== directory) directory = dirname(directory);
  if (statSync(directory, { throwIfNoEntry: false })?.isFile())
    return [`cannot be opened: ${directory} is no directory`, "Name a directory with --state-dir."];
  try {
    accessSync(directory, constants.W_OK);
    return null;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "EROFS")
      return [
        "cannot be written: its file system is read-only",
        `Have it mounted for writing again. A disk that fails is made read-only by the system, whose journal says why. Where it is: findmnt --target ${quoted(directory)}`,
      ];
    if (code === "EACCES")
      return [
        `cannot be opened: ${directory} is another user's`,
        `Work as its owner, whom this shows: ls -ld ${quoted(directory)}`,
      ];
    return null;
  }
}

export function unavailable(message: string, hint: string, cause?: unknown): AppError {
  return new AppError("STORE_UNAVAILABLE", message, { hint, cause });
}

/** Another process holds the log's lock: the same try may pass in a moment. */
export function isLockedOut(error: unknown): boolean {
  return error instanceof AppError && isBusy(error.cause);
}

/** The log's pages contradict each other. */
export function isDamage(error: unknown): boolean {
  const cause = error instanceof AppError ? error.cause : error;
  return cause instanceof Error && "code" in cause && /^SQLITE_(CORRUPT|NOTADB)/.test(String(cause.code));
}

/**
 * The line to type: with a backup `restore`, which takes over what can still be read; without one a line for a shell that
 * keeps the damaged files and begins a new log. With the old -wal beside it that would be damaged again.
 */
export function restoreCommands(path: string): string {
  const [directory, backup] = [dirname(path), newestBackup(path)];
  if (backup) return restoreCommand(backup);
  const aside = asideIn(directory);
  const moved = `for f in log.db log.db-wal log.db-shm; do [ ! -e $f ] || mv $f ${aside}/; done`;
  return `cd ${quoted(directory)} && mkdir ${aside} && { ${moved}; } && ${NEW_LOG_ANYWAY_COMMAND}`;
}

/** The same name until it is taken. */
function asideIn(directory: string): string {
  let n = 1;
  while (existsSync(join(directory, `damaged-${n}`))) n += 1;
  return `damaged-${n}`;
}

function quoted(word: string): string {
  return /^[\w./:@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
