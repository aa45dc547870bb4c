import type { Db } from "./db.ts";
import type { Notices } from "./notices.ts";

/** Two looks fit into the 250 ms within which another process's work must be seen. */
const LOOK_EVERY_MS = 100;
/** While nobody writes, for what the system may not tell: a process that wakes often, for months, is a cost that shows. */
const LOOK_IDLE_EVERY_MS = 60_000;
/** A commit can be seen only after its writes, once the disk has them. */
const COMMITS_WITHIN_MS = 3_000;

/**
 * Calls `onChange` soon after another connection committed: SQLite's data_version moves then, and only then. Whoever
 * commits writes to the `-wal`, of which the system tells us; where it cannot, we look all the time.
 */
export function watchOthers(db: Db, notices: Notices, onChange: () => void): () => void {
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
  let lookAt = 0;
  let timer: NodeJS.Timeout;

  const plan = (ms: number) => {
    clearTimeout(timer);
    lookAt = performance.now() + ms;
    timer = setTimeout(lookOnce, ms);
  };
  /** Who waits for a slow disk is looked for ever more rarely, in time with how long he takes. */
  const untilNext = () => {
    if (!notices.isWorking()) return LOOK_EVERY_MS;
    const sinceMs = performance.now() - writtenAt;
    return sinceMs > COMMITS_WITHIN_MS ? LOOK_IDLE_EVERY_MS : Math.max(LOOK_EVERY_MS, sinceMs);
  };
  const lookOnce = () => {
    const now = lookAgain();
    const isNew = now !== seen;
    seen = now;
    plan(untilNext());
    if (isNew) onChange();
  };
  const stopListening = notices.listen((part) => {
    if (part === "-shm") return;
    writtenAt = performance.now();
    if (lookAt - writtenAt > LOOK_EVERY_MS) plan(LOOK_EVERY_MS);
  });
  plan(LOOK_EVERY_MS);
  return () => {
    stopListening();
    clearTimeout(timer);
  };
}
