import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toDisk } from "./to-disk.ts";

/** Beside a log whose rows are elsewhere now: who would write to it is to hear of that. */
export interface CopiedMark {
  /** A database's URL; no password is in it. */
  to: string;
  /** ms since the epoch. */
  at: number;
}

/** It begins with the log's name, so that it is private as that is. */
const MARK = "log.db.copied";

/** Null where the log is in use, or there is none. */
export function copiedMark(stateDir: string): CopiedMark | null {
  try {
    const { to, at } = Object(JSON.parse(readFileSync(join(stateDir, MARK), "utf8")));
    return { to: String(to), at: Number(at) || 0 };
  } catch (error) {
    // What stands there and says nothing is a mark all the same.
    return error instanceof SyntaxError ? { to: "a database", at: 0 } : null;
  }
}

/** On disk when it returns. */
export function markCopied(stateDir: string, mark: CopiedMark): void {
  const path = join(stateDir, MARK);
  writeFileSync(`${path}.next`, JSON.stringify(mark), { mode: 0o600, flush: true });
  renameSync(`${path}.next`, path);
  toDisk(stateDir);
}

/** Returns whether there was one. */
export function unmarkCopied(stateDir: string): boolean {
  if (copiedMark(stateDir) === null) return false;
  rmSync(join(stateDir, MARK));
  toDisk(stateDir);
  return true;
}
