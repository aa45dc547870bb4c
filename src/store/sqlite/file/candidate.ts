import { renameSync, rmSync } from "node:fs";
import Database from "better-sqlite3";
import type { Db } from "./db.ts";
import { statOf } from "./file-at.ts";
import type { Identity } from "./identity.ts";
import { type FileToken, readToken } from "./log-row.ts";
import { lossError } from "./loss.ts";
import { isDamage } from "./store-errors.ts";

/** What stands in the place of a log that was lost: is it that log, a backup of it, or a stranger? */

/** Another log than ours is taken only when an operator accepted it since. */
export function refuseStranger(path: string, ours: { token: FileToken | null; openedAt: number }): void {
  const token = lookInto(path, readToken);
  if (!token || !ours.token || token.id === ours.token.id) return;
  if (token.acceptedAt !== null && token.acceptedAt > ours.openedAt) return;
  throw lossError(path, { kind: "replaced", words: "is another log than serve has written" });
}

/** Only touched, or written over with other content? */
export function isIntact(path: string, ours: Db, token: FileToken | null): boolean {
  const version = (db: Db) => db.prepare("SELECT value FROM counters WHERE name = 'version'").pluck().get();
  const isOurs = (now: Db) => {
    const found = readToken(now);
    return found?.id === token?.id && found?.copy === token?.copy && version(now) === version(ours);
  };
  try {
    return lookInto(path, (now) => isOurs(now) && isConsistent(now)) === true;
  } catch {
    return false;
  }
}

/** False where its pages contradict each other. True where nothing stands there, which is for others to find. */
export function isWhole(path: string): boolean {
  return lookInto(path, isConsistent) ?? true;
}

function isConsistent(db: Db): boolean {
  try {
    return db.pragma("integrity_check(1)", { simple: true }) === "ok";
  } catch (error) {
    if (isDamage(error)) return false;
    throw error;
  }
}

/** Null where nothing stands there that could be a log. */
function lookInto<Found>(path: string, look: (db: Db) => Found): Found | null {
  if (!statOf(path)?.isFile()) return null;
  const db = new Database(path, { readonly: true, timeout: 0 });
  try {
    return look(db);
  } finally {
    db.close();
  }
}

/** Changes with every change of what stands there; empty where nothing does. */
export function stampOf(path: string): string {
  const found = statOf(path);
  return found ? `${found.ino}/${found.size}/${found.mtimeNs}` : "";
}

/** With the -wal of what was there before, the new content would be damaged. It is kept under another name. */
export function setWalAside(path: string, lost: Identity): void {
  if (lost.hasOwn("-wal") && statOf(`${path}-wal`)?.size)
    renameSync(`${path}-wal`, `${path}-wal.${Date.now()}.aside`);
  if (lost.hasOwn("-shm")) rmSync(`${path}-shm`, { force: true });
}
