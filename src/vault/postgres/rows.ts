import type { KeyCheck, VaultRows } from "../rows.ts";

/** As they were read. */
export interface LoadedRows {
  revision: number;
  check: KeyCheck | null;
  isEmpty: boolean;
  items: ReadonlyMap<string, Buffer>;
}

/** What is to be written. */
export interface RowChanges {
  check: KeyCheck | null;
  /** Null: to be removed. */
  items: ReadonlyMap<string, Buffer | null>;
  stamps: ReadonlyMap<string, number>;
  isTouched: boolean;
}

/** Rows in memory, which remember what was changed; null while nothing was. */
export function rowsInMemory(
  path: string,
  loaded: LoadedRows,
): { rows: VaultRows; changes(): RowChanges | null } {
  const items = new Map<string, Buffer | null>();
  const stamps = new Map<string, number>();
  let check: KeyCheck | null = null;
  let isTouched = false;
  const rows: VaultRows = {
    path,
    isEmpty: () => loaded.isEmpty && ![...items.values()].some((sealed) => sealed !== null),
    names: () =>
      [...new Set([...loaded.items.keys(), ...items.keys()])].filter((name) => sealed(name)).sort(),
    sealed: (name) => sealed(name),
    put: (name, value) => void items.set(name, value),
    remove: (name) => {
      items.set(name, null);
      stamps.delete(name);
    },
    stamp: (name, at) => void stamps.set(name, at),
    keyCheck: () => check ?? loaded.check,
    setKeyCheck: (next) => {
      check = next;
    },
    touch: () => {
      isTouched = true;
    },
  };
  const sealed = (name: string) => (items.has(name) ? items.get(name) : loaded.items.get(name)) ?? null;
  return {
    rows,
    changes: () =>
      check || items.size > 0 || stamps.size > 0 || isTouched ? { check, items, stamps, isTouched } : null,
  };
}
