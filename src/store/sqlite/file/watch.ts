import type { Db } from "./db.ts";

/** Two looks fit into the 250 ms within which another process's work must be seen. */
const LOOK_EVERY_MS = 100;

/** Calls `onChange` soon after another connection committed: SQLite's data_version moves then, and only then. */
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
  const timer = setInterval(() => {
    const now = lookAgain();
    if (now === seen) return;
    seen = now;
    onChange();
  }, LOOK_EVERY_MS);
  return () => clearInterval(timer);
}
