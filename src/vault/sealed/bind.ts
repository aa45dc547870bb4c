import { AppError } from "../../shared/errors.ts";
import type { VaultDatabase } from "../file/database.ts";
import { changeRows, openRow, type RowList } from "./row-list.ts";
import { newKey, type Unlocked } from "./unlock.ts";

export interface Bound {
  salt: Buffer;
  key: Buffer;
  list: RowList;
}

/**
 * Seals every row anew where an older program wrote the vault: under a new salt neither its rows nor its proof open any
 * more. Rows that cannot be opened stay as they are, and are told when they are read; `replaced` are not looked at.
 */
export function bindRows(db: VaultDatabase, unlocked: Unlocked, replaced: ReadonlySet<string>): Bound {
  const { salt, key, list } = unlocked;
  if (list !== "unbound") return { salt, key, list };
  const fresh = newKey(unlocked.material);
  const texts = db
    .names("")
    .filter((name) => !replaced.has(name))
    .map((name) => [name, textOrNothing(db, unlocked, name)] as const)
    .filter((row): row is readonly [string, string] => row[1] !== null);
  return { ...fresh, list: changeRows(db, { key: fresh.key, list: new Map() }, texts) };
}

/** Seals every row anew with `fresh`. Throws at the first that is not as it was written. */
export function sealAnew(db: VaultDatabase, unlocked: Unlocked, fresh: { key: Buffer }): RowList {
  const listed = unlocked.list === "unbound" ? [] : unlocked.list.keys();
  const names = new Set([...db.names(""), ...listed]);
  const texts = [...names].map((name) => [name, openRow(unlocked, name, db.sealed(name))] as const);
  return changeRows(db, { key: fresh.key, list: new Map() }, texts);
}

function textOrNothing(db: VaultDatabase, unlocked: Unlocked, name: string): string | null {
  try {
    return openRow(unlocked, name, db.sealed(name));
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}
