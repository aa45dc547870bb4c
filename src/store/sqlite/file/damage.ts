import Database from "better-sqlite3";
import type { Db } from "./db.ts";
import { isDamage } from "./store-errors.ts";

/** A table of which a page, a row or an index contradicts the rest. */
export interface Damage {
  table: string;
  /** What was found, in SQLite's words: page numbers, no content. */
  found: string;
}

/** A table with no more rows than this is checked at once, in some 30 ms. */
const CHECKED_AT_ONCE = 10_000;
const ROWS_TOGETHER = 1_000;

/**
 * Looks for damage table by table: SQLite's `quick_check` for one that is small, else every row, slice by slice, and
 * then every page of its indexes, an index at a time: some 60 ms for a million entries. Each step is one short read, so
 * that no checkpoint waits for it. What is found comes as it is found.
 */
export function* findDamage(path: string): Generator<Damage | undefined, void> {
  const db = new Database(path, { readonly: true, timeout: 0 });
  try {
    db.pragma("cell_size_check = ON");
    db.pragma("cache_size = -2048");
    for (const table of tablesIn(db)) yield* checkTable(db, table);
  } finally {
    db.close();
  }
}

interface Table {
  name: string;
  hasRowid: boolean;
}

function tablesIn(db: Db): Table[] {
  return db
    .prepare<[], { name: string; wr: number }>(
      "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table'",
    )
    .all()
    .map(({ name, wr }) => ({ name, hasRowid: wr === 0 }));
}

function* checkTable(db: Db, { name, hasRowid }: Table): Generator<Damage | undefined, void> {
  try {
    const isLarge =
      hasRowid && Number(db.prepare(`SELECT max(rowid) FROM "${name}"`).pluck().get()) > CHECKED_AT_ONCE;
    const found = isLarge ? yield* checkInSlices(db, name) : quickCheck(db, name);
    yield found === null ? undefined : { table: name, found };
  } catch (error) {
    if (!isDamage(error)) throw error;
    yield { table: name, found: error instanceof Error ? error.message : "damaged" };
  }
}

/** Null where all is well. */
function quickCheck(db: Db, table: string): string | null {
  const found = String(db.pragma(`quick_check("${table}")`, { simple: true }));
  return found === "ok" ? null : (found.split("\n").at(-1) ?? found);
}

function* checkInSlices(db: Db, table: string): Generator<undefined, string | null> {
  const slice = db
    .prepare<[number], [rowid: number, ...unknown[]]>(
      `SELECT rowid, * FROM "${table}" NOT INDEXED WHERE rowid > ? ORDER BY rowid LIMIT ${ROWS_TOGETHER}`,
    )
    .raw();
  for (let last = Number.MIN_SAFE_INTEGER; ; ) {
    const end = slice.all(last).at(-1);
    yield;
    if (end === undefined) return yield* readIndexes(db, table);
    if (end[0] <= last) return "rows are out of order";
    last = end[0];
  }
}

/** Goes over every page of each index. Not `count(*)`, for which SQLite takes whichever index is the shortest. */
function* readIndexes(db: Db, table: string): Generator<undefined, null> {
  const indexes = db.prepare<[string], Index>(
    `SELECT list.name, coalesce(sql, '') AS sql
     FROM pragma_index_list(?) AS list LEFT JOIN sqlite_schema ON sqlite_schema.name = list.name`,
  );
  for (const { name, sql } of indexes.all(table)) {
    const [part = ""] = /\sWHERE\s.*$/is.exec(sql) ?? [];
    db.prepare(`SELECT sum(1) FROM "${table}" INDEXED BY "${name}" ${part}`).get();
    yield;
  }
  return null;
}

interface Index {
  name: string;
  /** How it was made; empty for one that a UNIQUE made. */
  sql: string;
}
