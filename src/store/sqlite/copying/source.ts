import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Statement } from "better-sqlite3";
import { logInUse } from "../../../core/advice/copied-log.ts";
import { copiedMark, markCopied } from "../../../shared/copied-log.ts";
import { AppError } from "../../../shared/errors.ts";
import { thisProcess } from "../../../shared/process-identity.ts";
import type { CopiedTable, CopySource, Held, Row, Totals } from "../../contract/copying.ts";
import { COPIED_TABLES } from "../../rows/copied-tables.ts";
import { createServices } from "../coordination/services.ts";
import type { Db } from "../file/db.ts";
import { readToken } from "../file/log-row.ts";
import { holdersOf, processWords } from "../file/lock-holders.ts";
import { openLog } from "../file/open.ts";
import { storeErrors } from "../file/store-errors.ts";

/** A page ends with the row that brings it above either. */
const PAGE_ROWS = 2_000;
const PAGE_BYTES = 4 * 1024 * 1024;

/**
 * The log in that directory, to be copied. It holds SQLite's lock for writing until it is closed, and writes nothing itself.
 * Throws `USAGE` where there is no log, and `STORE_UNAVAILABLE` where a service or any other process has it open.
 */
export function openCopySource(stateDir: string, now: number): CopySource {
  const path = join(stateDir, "log.db");
  if (!statSync(path, { throwIfNoEntry: false })?.size)
    throw new AppError("USAGE", `no log is in ${stateDir}`, { hint: "Check --state-dir." });
  return storeErrors(path, () => {
    const db = openLog(stateDir, { now, toRead: true });
    try {
      lockAgainstWriters(db, path);
      return sourceOf(db, path);
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

function lockAgainstWriters(db: Db, path: string): void {
  db.pragma("query_only = OFF");
  // So that the file alone tells whether anything was written since.
  db.pragma("wal_checkpoint(TRUNCATE)");
  refuseInUse(db, path);
  db.exec("BEGIN IMMEDIATE");
  // Whoever came meanwhile.
  refuseInUse(db, path);
}

function refuseInUse(db: Db, path: string): void {
  const services = createServices(db, thisProcess()).runningServices().length;
  if (services > 0) throw logInUse("serve");
  const holders = holdersOf(path);
  if (holders.length > 0) throw logInUse(`process ${holders.map(processWords).join(", ")}`);
}

function sourceOf(db: Db, path: string): CopySource {
  const stateDir = dirname(path);
  const statements = new Map<string, Statement<Held[], Row>>();
  const prepared = (sql: string) => {
    const statement = statements.get(sql) ?? db.prepare<Held[], Row>(sql).raw();
    statements.set(sql, statement);
    return statement;
  };
  const id = readToken(db)?.id ?? "";
  return {
    id,
    place: path,
    state: `${id} ${stampOf(path)} ${stampOf(`${path}-wal`)}`,
    counts: () => storeErrors(path, () => countsIn(db)),
    page: (table, after) =>
      storeErrors(path, () => pageOf(prepared(selectOf(table, after !== null)).iterate(...(after ?? [])))),
    totals: () => storeErrors(path, () => totalsIn(db)),
    markedTo: copiedMark(stateDir)?.to ?? null,
    mark: (to) => storeErrors(path, () => markCopied(stateDir, { to, at: Date.now() })),
    close: () => db.close(),
  };
}

/** Of an empty -wal nothing counts: whoever looks at the log makes one. */
function stampOf(path: string): string {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found?.size ? `${found.ino}:${found.size}:${found.mtimeNs}` : "";
}

function selectOf({ name, key, columns, instead }: CopiedTable, isAfter: boolean): string {
  const selected = columns.map((column) =>
    Object.hasOwn(instead, column) ? `${instead[column] ?? "NULL"} AS ${column}` : column,
  );
  const after = isAfter ? `WHERE (${key.join(", ")}) > (${key.map(() => "?").join(", ")})` : "";
  return `SELECT ${selected.join(", ")} FROM ${name} ${after} ORDER BY ${key.join(", ")}`;
}

function pageOf(rows: Iterable<Row>): Row[] {
  const page: Row[] = [];
  let bytes = 0;
  for (const row of rows) {
    page.push(row);
    for (const value of row) bytes += typeof value === "object" ? 32 : String(value).length;
    if (page.length >= PAGE_ROWS || bytes >= PAGE_BYTES) break;
  }
  return page;
}

function countsIn(db: Db): Record<string, number> {
  const counted = COPIED_TABLES.map(({ name }) => [
    name,
    Number(db.prepare(`SELECT count(*) FROM ${name}`).pluck().get()),
  ]);
  return Object.fromEntries(counted);
}

function totalsIn(db: Db): Totals {
  const record = (sql: string) => Object.fromEntries(db.prepare<[], [string, number]>(sql).raw().all());
  const { version = 0, ...counters } = record("SELECT name, value FROM counters");
  return {
    counters,
    invites: record("SELECT org, n FROM invite_counts"),
    pushes: record("SELECT connection_id || ' ' || state, n FROM push_counts"),
    version,
    lastNumbers: record("SELECT name, seq FROM sqlite_sequence"),
  };
}
