import { createHash } from "node:crypto";
import { join } from "node:path";
import Database from "better-sqlite3";
import type { Clock } from "../../shared/clock.ts";
import { AppError, isAppError } from "../../shared/errors.ts";
import { unfitNativePart } from "../../shared/native-part.ts";
import { makePrivateDir } from "../../shared/private-dir.ts";
import { createOnce, misplacedDatabase } from "../../shared/private-files.ts";
import { DISK_FULL, isDiskFull } from "./full-disk.ts";

/** Longer than the slowest refresh; a holder that takes more is stopped or stuck. */
const LONGEST_WAIT_MS = 60_000;

/**
 * Locks that processes share and that die with their holder: the kernel frees SQLite's file lock when the process
 * is killed, so there is nothing to time out and nothing to clean up.
 *
 * Each name has a small file of its own beside `vault.db`. An exclusive transaction on `vault.db` itself would
 * keep everybody from reading any token for as long as one vendor takes to answer, and its holder could not make
 * the mark "refresh begun" durable before the call, because a commit ends the transaction and so the lock.
 */
export function createLocks({ stateDir, clock }: { stateDir: string; clock: Clock }) {
  const directory = join(stateDir, "vault-locks");
  return async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const free = await acquire(fileFor(directory, name), name, clock);
    try {
      return await work();
    } finally {
      free();
    }
  };
}

async function acquire(path: string, name: string, clock: Clock): Promise<() => void> {
  const giveUpAt = clock.now() + LONGEST_WAIT_MS;
  for (;;) {
    const free = tryLock(path);
    if (free) return free;
    if (clock.now() >= giveUpAt)
      throw new AppError("VAULT_UNAVAILABLE", `Another process has held the lock on ${name} for a minute`, {
        hint: "Look for a stopped jc-integrations process (state T in ps) and end it.",
      });
    // Jitter keeps several waiters from asking in step.
    await clock.sleep(10 + Math.random() * 40);
  }
}

/** The function that frees the lock, or null when another holds it. Nothing is ever written to the file. */
function tryLock(path: string): (() => void) | null {
  let db: Database.Database | null = null;
  try {
    db = new Database(path, { timeout: 0 });
    db.exec("begin exclusive");
    const held = db;
    return () => held.close();
  } catch (cause) {
    db?.close();
    if (cause instanceof Database.SqliteError && cause.code.startsWith("SQLITE_BUSY")) return null;
    const unfit = unfitNativePart("better-sqlite3", cause);
    if (unfit) throw unfit;
    throw new AppError("VAULT_UNAVAILABLE", `The lock file ${path} cannot be used`, {
      hint: "Check that this user may write to the state directory.",
      cause,
    });
  }
}

/** A hash, because names hold slashes and file systems differ in what else they allow. */
function fileFor(directory: string, name: string): string {
  const path = join(directory, `${createHash("sha256").update(name).digest("hex").slice(0, 24)}.lock`);
  try {
    makePrivateDir(directory);
    createOnce(path);
    const misplaced = misplacedDatabase(path);
    if (misplaced) throw new AppError("VAULT_UNAVAILABLE", misplaced.message, { hint: misplaced.hint });
    return path;
  } catch (cause) {
    if (isAppError(cause)) throw cause;
    const isFull = isDiskFull(cause);
    const why = isFull ? `: ${DISK_FULL.what}` : "";
    throw new AppError("VAULT_UNAVAILABLE", `The lock file ${path} cannot be created${why}`, {
      hint: isFull ? DISK_FULL.hint : "Check that this user may write to the state directory.",
      cause,
    });
  }
}
