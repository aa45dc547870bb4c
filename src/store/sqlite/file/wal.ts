import { join } from "node:path";
import { shortBytes } from "../../../shared/text.ts";
import type { StoreFault } from "../../contract/faults.ts";
import type { Db } from "./db.ts";
import { statOf } from "./file-at.ts";
import { lockHolders, processWords, SHM_LOCKS } from "./lock-holders.ts";

/** As long as SQLite lets it grow where nobody is in the way: 1,000 pages, and one large commit more. */
const USUAL_WAL_BYTES = 8 * 1024 * 1024;
const TOO_LARGE_WAL_BYTES = 64 * 1024 * 1024;

/**
 * Writes all of a large -wal into the log and empties it, unless somebody reads or writes just now. Waits for nobody.
 * True when it tried.
 */
export function emptyWal(db: Db, stateDir: string): boolean {
  const size = walBytes(stateDir);
  if (size <= USUAL_WAL_BYTES) return false;
  const before = db.pragma("busy_timeout", { simple: true });
  db.pragma("busy_timeout = 0");
  try {
    db.pragma("wal_checkpoint(TRUNCATE)");
  } catch {
    // What the disk refuses here the next commit hears of.
  } finally {
    db.pragma(`busy_timeout = ${Number(before)}`);
  }
  return true;
}

/** A -wal that a reader keeps from being written into the log: with its size, and who reads where the system tells. */
export function heldUpWal(stateDir: string): Omit<StoreFault, "kind" | "since"> | null {
  const size = walBytes(stateDir);
  if (size <= TOO_LARGE_WAL_BYTES) return null;
  const shm = statOf(join(stateDir, "log.db-shm"));
  const readers = shm ? (lockHolders(shm.ino, SHM_LOCKS.readers) ?? []) : [];
  const who = readers.length > 0 ? `process ${readers.map(processWords).join(", ")}` : "another process";
  return {
    refuses: false,
    message: `${join(stateDir, "log.db-wal")} has grown to ${shortBytes(size)}: it is read by ${who}`,
    hint:
      readers.length > 0
        ? `End the process that forgot to close the log: kill ${readers.join(" ")}`
        : "Find the process that forgot to close the log with: fuser -v log.db",
  };
}

function walBytes(stateDir: string): number {
  return Number(statOf(join(stateDir, "log.db-wal"))?.size ?? 0n);
}
