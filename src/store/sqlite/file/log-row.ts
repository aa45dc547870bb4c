/** What the log says of itself: the one row of `log_file`. */
import type { Db } from "./db.ts";

export interface FileToken {
  id: string;
  copy: string | null;
  acceptedAt: number | null;
}

/** Null where it cannot be read. */
export function readToken(db: Db): FileToken | null {
  try {
    // Else it would be read from the pages that are kept in memory.
    db.pragma("shrink_memory");
    const row = db.prepare<[], FileToken>("SELECT id, copy, accepted_at AS acceptedAt FROM log_file").get();
    return row ?? null;
  } catch {
    return null;
  }
}

/** How many the log had when pages were given back last; null where they never were, or that cannot be read. */
export function pagesLeft(db: Db): number | null {
  try {
    return db.prepare<[], number | null>("SELECT pages FROM log_file").pluck().get() ?? null;
  } catch {
    return null;
  }
}

/** Pages are given back: whoever has the log open will find its file smaller. Part of a write transaction. */
export function notePagesLeft(db: Db, pages = Number(db.pragma("page_count", { simple: true }))): void {
  db.prepare("UPDATE log_file SET pages = ?").run(pages);
}

export function isSameToken(a: FileToken | null, b: FileToken | null): boolean {
  return a?.id === b?.id && a?.copy === b?.copy;
}
