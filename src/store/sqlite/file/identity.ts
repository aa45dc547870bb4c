import type { BigIntStats } from "node:fs";
import Database from "better-sqlite3";
import { type Checkpoint, isCutOff } from "./checkpoint.ts";
import type { Db } from "./db.ts";
import { isOne, statOf } from "./file-at.ts";
import { lockHolders, SHM_LOCKS } from "./lock-holders.ts";
import { type FileToken, isSameToken, pagesLeft, readToken } from "./log-row.ts";
import { type Loss, OVERWRITTEN, replacedBy, WAL_LOST } from "./loss.ts";
import { openWal } from "./own-wal.ts";
import { sleep } from "./transaction.ts";

/**
 * Is the file that `db` has open still the log? SQLite never asks: it goes on writing into a file that was removed,
 * moved or written over. Nothing here opens or closes a descriptor of its own on the log or its -shm, because to close
 * one drops all POSIX locks that this process holds on that file; SQLite holds none on the -wal.
 */
export interface Identity {
  /** What became of the file; null while it is the log. Some 40 µs. Not within a transaction. */
  look(since: OwnWrites): Loss | null;
  /** Of the log, and of the copy that a restored backup is; null in a log older than its identity. */
  readonly token: FileToken | null;
  /** Closes `db` as SQLite means it: who is last writes the -wal into the log and removes it. */
  close(): void;
  /** Does that name still stand for the file that `db` has open? */
  hasOwn(part: "-wal" | "-shm"): boolean;
  /**
   * Closes `db` without touching anything by name: what stands at its path belongs to another log. The -wal is neither
   * written into the log nor removed.
   */
  abandon(): void;
}

/** What `db` did since the last look. A checkpoint that fails on a full disk has written, and moves no number. */
export type OwnWrites = "nothing" | "committed" | "checkpointed";

interface Standing {
  log: BigIntStats;
  /** Of the -wal, in pages, and how many of them were written into the log. */
  pages: Checkpoint;
  /** Moves when another connection commits. */
  others: number;
}

/** The log became smaller than it can be, or was written into while no checkpoint was. */
type Suspicion = "cut" | "written" | null;

interface Judged {
  now: Standing;
  as: Suspicion;
}

/** `db` must have read or written already, so that its -wal and -shm are there. */
export function identityOf(db: Db, path: string): Identity {
  // A second connection in this process keeps SQLite from taking `db` for the last one, and reads around its page cache.
  const beside = new Database(path, { readonly: true, timeout: 0 });
  const token = readToken(beside);
  const checkpoint = db.prepare<[], Checkpoint>("PRAGMA wal_checkpoint(NOOP)");
  const dataVersion = db.prepare<[], number>("PRAGMA data_version").pluck();
  const pageCount = db.prepare<[], number>("PRAGMA page_count").pluck();
  const names = [path, `${path}-wal`, `${path}-shm`] as const;
  const pageSize = Number(db.pragma("page_size", { simple: true }));
  const opened = names.map(statOf);
  const wal = openWal(names[1], { pageSize, pagesIn: () => checkpoint.get()?.log ?? 0 });
  // The numbers come first: what is written after them moves the file's time, and the numbers of the next look.
  const standing = (): Standing | null => {
    const pages = checkpoint.get() ?? { log: 0, checkpointed: 0 };
    const others = dataVersion.get() ?? 0;
    const log = statOf(path);
    return log ? { log, pages, others } : null;
  };
  let last = opened[0] ? standing() : null;

  const lookInside = (since: OwnWrites): Loss | null => {
    if (last === null) return OVERWRITTEN;
    const now = standing();
    if (now === null) return null;
    const isUntouched = now.log.mtimeNs === last.log.mtimeNs && now.log.size === last.log.size;
    if (isUntouched) {
      last = now;
      return null;
    }
    const before = last;
    const suspect = (now: Standing) =>
      isCut(before, now) ? "cut" : isForeign(before, now, since) ? "written" : null;
    const judged = suspect(now) ? afterCheckpoints(now, suspect) : { now, as: null };
    if (judged === null) return null;
    if (judged.as === "cut" || (judged.as === "written" && !isCutOff(judged.now.pages, names[2])))
      return OVERWRITTEN;
    if (!isSameToken(token, readToken(beside))) return OVERWRITTEN;
    last = judged.now;
    return null;
  };
  /** Smaller than SQLite left it: once pages were given back, a checkpoint makes it as small as the log was then. */
  const isCut = (before: Standing, now: Standing): boolean => {
    if (now.log.size >= before.log.size) return false;
    const pages = Math.min(pageCount.get() ?? 0, pagesLeft(beside) ?? Number.POSITIVE_INFINITY);
    return Number(now.log.size) < pageSize * pages;
  };
  /**
   * Another process's checkpoint writes into the log first and moves the numbers at its end, so only a log that rests is
   * judged. Null where it does not rest for long: the next look judges.
   */
  const afterCheckpoints = (first: Standing, suspect: (now: Standing) => Suspicion): Judged | null => {
    const giveUpAt = Date.now() + LONGEST_CHECKPOINT_MS;
    for (let before = first; ; ) {
      sleep(ONE_TICK_MS);
      const holders = opened[2] ? lockHolders(opened[2].ino, SHM_LOCKS.checkpoint) : null;
      const now = standing();
      if (now === null) return null;
      const as = suspect(now);
      if (as === null || (holders?.length === 0 && isResting(before, now))) return { now, as };
      if (Date.now() > giveUpAt) return holders === null ? { now, as } : null;
      before = now;
    }
  };
  /** Pages that are read out of a cut -wal are no pages, and SQLite says so by an error. */
  const lookInsideUnlessCut = (since: OwnWrites): Loss | null => {
    try {
      return lookInside(since);
    } catch (error) {
      if (wal.isCut()) return WAL_LOST;
      throw error;
    }
  };
  return {
    token,
    look: (since) => {
      const [log, ofWal, ofShm] = names.map(statOf);
      if (!log) return { kind: "absent", words: "is gone" };
      if (!isOne(log, opened[0])) return replacedBy(log);
      // First of all what it holds: a -wal is not to be written into what is no longer its log.
      const loss = lookInsideUnlessCut(since);
      if (loss) return loss;
      if (!isOne(ofWal, opened[1])) return WAL_LOST;
      if (!isOne(ofShm, opened[2])) return { kind: "half", words: "has lost its log.db-shm" };
      return wal.isCut() ? WAL_LOST : null;
    },
    hasOwn: (part) => {
      const index = part === "-wal" ? 1 : 2;
      return isOne(statOf(names[index]), opened[index]);
    },
    close: () => {
      beside.close();
      db.close();
      wal.close();
    },
    abandon: () => {
      db.close();
      beside.close();
      wal.close();
    },
  };
}

/** What takes longer is judged by the next look. */
const LONGEST_CHECKPOINT_MS = 1_000;
/** Two writes within one tick of the system's clock leave a file the same time. */
const ONE_TICK_MS = 11;

/** SQLite's own default. */
const AUTO_CHECKPOINT_PAGES = 1_000;

/** SQLite writes into the log when it checkpoints, and only then; each checkpoint that writes moves these numbers. */
function isForeign(before: Standing, now: Standing, since: OwnWrites): boolean {
  if (since === "checkpointed") return false;
  if (since === "committed" && now.pages.log >= AUTO_CHECKPOINT_PAGES) return false;
  if (now.others !== before.others || now.pages.checkpointed !== before.pages.checkpointed) return false;
  const isBegunAnew = now.pages.log < before.pages.log;
  return !isBegunAnew;
}

function isResting(a: Standing, b: Standing): boolean {
  const [pages, others] = [
    a.pages.log === b.pages.log && a.pages.checkpointed === b.pages.checkpointed,
    a.others,
  ];
  return pages && others === b.others && a.log.mtimeNs === b.log.mtimeNs && a.log.size === b.log.size;
}
