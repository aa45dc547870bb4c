import { type FSWatcher, watch } from "node:fs";
import type { Db } from "./db.ts";

/** Two looks fit into the 250 ms within which another process's work must be seen. */
const LOOK_EVERY_MS = 100;
/** While nobody writes: a process that wakes ten times a second for months is a cost that shows. */
const LOOK_IDLE_EVERY_MS = 1_000;
/** A commit can be seen only after its writes, once the disk has them. */
const COMMITS_WITHIN_MS = 3_000;

/**
 * Calls `onChange` soon after another connection committed: SQLite's data_version moves then, and only then. Whoever
 * commits writes to the `-wal`, of which the system tells us; where it cannot, we look all the time.
 */
export function watchOthers(db: Db, onChange: () => void): () => void {
  const look = () => Number(db.pragma("data_version", { simple: true }));
  // What the disk refuses here the next verb hears of; thrown out of a timer it would end the process.
  const lookAgain = () => {
    try {
      return look();
    } catch {
      return seen;
    }
  };
  let seen = look();
  let writtenAt = performance.now();
  let writes: FSWatcher | null = null;
  let isIdle = false;
  let timer: NodeJS.Timeout;

  const plan = () => {
    isIdle = writes !== null && performance.now() - writtenAt > COMMITS_WITHIN_MS;
    timer = setTimeout(lookOnce, isIdle ? LOOK_IDLE_EVERY_MS : LOOK_EVERY_MS);
  };
  const lookOnce = () => {
    const now = lookAgain();
    const isNew = now !== seen;
    seen = now;
    plan();
    if (isNew) onChange();
  };
  const written = () => {
    writtenAt = performance.now();
    if (!isIdle) return;
    clearTimeout(timer);
    plan();
  };
  const stopWatching = () => {
    writes?.close();
    writes = null;
    written();
  };
  try {
    writes = watch(`${db.name}-wal`, { persistent: false }, (what) =>
      what === "rename" ? stopWatching() : written(),
    );
    writes.on("error", stopWatching);
  } catch {
    // As many files are watched as the system allows, or it watches none.
  }
  plan();
  return () => {
    writes?.close();
    clearTimeout(timer);
  };
}
