import type { Db } from "../file/db.ts";
import { notePagesLeft } from "../file/log-row.ts";
import type { PurgeTable } from "./rule.ts";

/** Moved in one step. */
const PAGES = 64;
/** So much of the file may be free: tomorrow's events take it. */
const KEPT_FREE = 0.1;
const INCREMENTAL = 2;

/** Gives free pages back to the file system, where the log was made so that it can. */
export function freePages(db: Db): PurgeTable {
  const numberOf = (pragma: string) => Number(db.pragma(pragma, { simple: true }));
  return ({ isDry }) => {
    if (isDry || numberOf("auto_vacuum") !== INCREMENTAL) return { removed: {}, next: null };
    const excess = numberOf("freelist_count") - Math.ceil(numberOf("page_count") * KEPT_FREE);
    if (excess <= 0) return { removed: {}, next: null };
    db.pragma(`incremental_vacuum(${Math.min(PAGES, excess)})`);
    notePagesLeft(db);
    return { removed: {}, next: "on" };
  };
}
