import { AppError } from "../../shared/errors.ts";
import type { VaultRows } from "../rows.ts";
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
export function bindRows(rows: VaultRows, unlocked: Unlocked, replaced: ReadonlySet<string>): Bound {
  const { salt, key, list } = unlocked;
  if (list !== "unbound") return { salt, key, list };
  const fresh = newKey(unlocked.material);
  const texts = rows
    .names()
    .filter((name) => !replaced.has(name))
    .map((name) => [name, textOrNothing(rows, unlocked, name)] as const)
    .filter((each): each is readonly [string, string] => each[1] !== null);
  return { ...fresh, list: changeRows(rows, { key: fresh.key, list: new Map() }, texts) };
}

/** Seals every row anew with `fresh`. Throws at the first that is not as it was written. */
export function sealAnew(rows: VaultRows, unlocked: Unlocked, fresh: { key: Buffer }): RowList {
  const listed = unlocked.list === "unbound" ? [] : unlocked.list.keys();
  const names = new Set([...rows.names(), ...listed]);
  const texts = [...names].map((name) => [name, openRow(unlocked, name, rows.sealed(name))] as const);
  return changeRows(rows, { key: fresh.key, list: new Map() }, texts);
}

function textOrNothing(rows: VaultRows, unlocked: Unlocked, name: string): string | null {
  try {
    return openRow(unlocked, name, rows.sealed(name));
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}
