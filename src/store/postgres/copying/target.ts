import { hostname } from "node:os";
import { copiedBefore, databaseInUse, halfCopied, otherLog } from "../../../core/advice/copied-log.ts";
import { connectionConfig, type Reach } from "../../../postgres/connect.ts";
import { openDatabase } from "../../../postgres/database.ts";
import { hasSchema, migrate } from "../../../postgres/migrate.ts";
import type { Db, Sql } from "../../../postgres/sql.ts";
import { thisProcess } from "../../../shared/process-identity.ts";
import type { CopyStanding, CopyTarget, Held, Row } from "../../contract/copying.ts";
import { COPIED_TABLES } from "../../rows/copied-tables.ts";
import { copyMarkIn, tellHalfCopy } from "../server/copy-mark.ts";
import { insistOnCreating } from "../server/creating.ts";
import { type Direct, openDirect } from "../server/direct.ts";
import { LOG_SCHEMA } from "../server/schema.ts";
import { type TypedTable, typedTables } from "./columns.ts";
import { heldRow, sameJson } from "./held.ts";
import { putTotals, totalsIn } from "./totals.ts";

/** Of tables that count others' rows, emptied with them. */
const COUNTS = ["counter_changes", "invite_count_changes", "push_count_changes"] as const;
/** No log has such a state: a copy of it is begun anew. */
const SPOILT = "spoilt";

/**
 * The database at `url`, to be copied to by the owner of its tables, which are made where they are missing. Throws
 * `STORE_UNAVAILABLE`, `STORE_TOO_NEW` and `CONFIG_INVALID`; `key` names the URL in what they say.
 */
export async function openCopyTarget(reach: Reach, key: string): Promise<CopyTarget> {
  const { url } = reach;
  const db = openDatabase({ ...connectionConfig(reach, key), max: 2 });
  try {
    const direct = await openDirect({
      config: connectionConfig(reach, key),
      name: `store copy on ${hostname()} ${thisProcess().pid}`,
      prepare: () => migrate(db, LOG_SCHEMA),
      insist: async () => {},
      staysUp: false,
      onChange: () => {},
      onLost: db.renew,
      onTrouble: () => {},
      onTime: () => {},
      monotonic: () => performance.now(),
      date: Date.now,
    });
    const close = async () => {
      await direct.close();
      await db.close();
    };
    const tables = await typedTables(db.read).catch(async (error: unknown) => {
      await direct.close();
      throw error;
    });
    return targetOf(db, { url, tables, direct, close });
  } catch (error) {
    await db.close();
    throw error;
  }
}

/** How a copy would find the database, of which nothing is changed. Throws as `begin` does. */
export async function lookAtCopyTarget(reach: Reach, key: string, source: Source): Promise<CopyStanding> {
  const { markedTo, place } = source;
  const db = openDatabase({ ...connectionConfig(reach, key), max: 1 });
  try {
    if (await hasSchema(db, LOG_SCHEMA)) return await standingIn(db.read, source, reach.url);
    if (markedTo !== null) throw copiedBefore(place, markedTo);
    await insistOnCreating(db.read, { isCopied: true });
    return "new";
  } finally {
    await db.close();
  }
}

interface Opened {
  url: string;
  tables: readonly TypedTable[];
  direct: Direct;
  close(): Promise<void>;
}

function targetOf(db: Db, { url, tables, direct, close }: Opened): CopyTarget {
  const typed = new Map(tables.map((table) => [table.name, table]));
  const typesOf = (name: string) => typed.get(name)?.types ?? [];
  let id = "";
  return {
    tables,
    begin: async (source) => {
      id = source.id;
      return await begin(db, source, { url, self: direct.self() });
    },
    reached: async ({ name, key }) => {
      const counted = await db.read.get<{ n: number }>(`SELECT count(*) AS n FROM jc.${name}`);
      const last = await db.read.get<Record<string, Held>>(
        `SELECT ${key.join(", ")} FROM jc.${name} ORDER BY ${key.map((each) => `${each} DESC`).join(", ")} LIMIT 1`,
      );
      return { rows: counted?.n ?? 0, last: last ? key.map((each) => last[each] ?? null) : null };
    },
    put: (table, rows) =>
      db.write("all", async (tx) => {
        await tx.run(insertInto(table, typesOf(table.name)), columnsOf(table.columns, rows));
      }),
    page: async (table, after, limit) => {
      const types = typesOf(table.name);
      const rows = await db.read.all<Record<string, Held>>(selectFrom(table, types, after), [
        ...(after ?? []),
        limit,
      ]);
      return rows.map((row) =>
        table.columns.map((column, index) => {
          const value = row[column] ?? null;
          return types[index] === "jsonb" && typeof value === "string" ? sameJson(value) : value;
        }),
      );
    },
    asHeld: (table, row) => heldRow(typesOf(table.name), row),
    putTotals: (totals) => putTotals(db, totals),
    totals: () => totalsIn(db.read),
    spoil: async () => void (await setMark(db, SPOILT)),
    finish: async () => {
      await db.write("all", async (tx) => {
        await tx.run("UPDATE jc.log_file SET id = $1, copy_state = NULL", [id]);
        await tellHalfCopy(tx, null);
      });
    },
    close,
  };
}

async function setMark(db: Db, state: string): Promise<void> {
  await db.write("all", async (tx) => {
    await tx.run("UPDATE jc.log_file SET copy_state = $1", [state]);
  });
}

type Source = Parameters<CopyTarget["begin"]>[0];

async function begin(
  db: Db,
  source: Source,
  { url, self }: { url: string; self: number },
): Promise<CopyStanding> {
  const standing = await db.write("all", async (tx) => {
    const found = await standingIn(tx, source, url);
    if (found === "anew") await tx.run(`TRUNCATE ${ALL_TABLES}`);
    if (found === "new" || found === "anew")
      await tx.run("UPDATE jc.log_file SET copy_of = $1, copy_from = $2, copy_state = $3", [
        source.id,
        source.place,
        source.state,
      ]);
    if (found !== "whole") await tellHalfCopy(tx, source.place);
    return found;
  });
  if (standing === "whole") return standing;
  // Whoever came before the mark is among the holders now, and whoever comes after it goes.
  const others = await db.read.all<{ name: string }>(
    "SELECT name FROM jc.holders WHERE id <> $1 AND id IN (SELECT * FROM jc.live_holders()) ORDER BY id",
    [self],
  );
  if (others.length === 0) return standing;
  if (standing === "new")
    await db.write("all", async (tx) => {
      await tx.run("UPDATE jc.log_file SET copy_of = NULL, copy_from = NULL, copy_state = NULL");
      await tellHalfCopy(tx, null);
    });
  throw databaseInUse(url, others.map(({ name }) => name).join(", "));
}

const ALL_TABLES = [...COPIED_TABLES.map(({ name }) => name), ...COUNTS, "leases", "services"]
  .map((name) => `jc.${name}`)
  .join(", ");

async function standingIn(tx: Sql, source: Source, url: string): Promise<CopyStanding> {
  const { markedTo, place } = source;
  if (markedTo !== null && markedTo !== url) throw copiedBefore(place, markedTo);
  const { copy_of: of, copy_from: from, copy_state: state } = await copyMarkIn(tx);
  if (state !== null && of !== source.id) throw halfCopied({ from: from ?? "another log", to: url });
  if (state !== null) return state === source.state ? "resumed" : "anew";
  if (of === source.id && markedTo !== null) return "whole";
  if (markedTo !== null) throw copiedBefore(place, markedTo);
  const any = COPIED_TABLES.map(({ name }) => `EXISTS (SELECT 1 FROM jc.${name})`).join(" OR ");
  const { is_used: isUsed } = (await tx.get<{ is_used: boolean }>(`SELECT ${any} AS is_used`)) ?? {};
  if (!isUsed) return "new";
  const events = await tx.get<{ n: number }>("SELECT count(*) AS n FROM jc.events");
  const what = of === source.id ? "holds an older copy of this log" : "holds another log";
  throw otherLog(url, { what, events: events?.n ?? 0 });
}

function insertInto(
  { name, columns }: { name: string; columns: readonly string[] },
  types: readonly string[],
) {
  const arrays = types.map((type, index) => `$${index + 1}::${type === "jsonb" ? "text" : type}[]`);
  const values = columns.map((column, index) =>
    types[index] === "jsonb" ? `n.${column}::jsonb` : `n.${column}`,
  );
  const names = columns.join(", ");
  return `INSERT INTO jc.${name} (${names}) SELECT ${values.join(", ")} FROM unnest(${arrays.join(", ")}) AS n (${names})`;
}

function columnsOf(columns: readonly string[], rows: readonly Row[]): Held[][] {
  return columns.map((_, index) => rows.map((row) => row[index] ?? null));
}

function selectFrom(
  { name, key, columns }: { name: string; key: readonly string[]; columns: readonly string[] },
  types: readonly string[],
  after: Row | null,
): string {
  const selected = columns.map((column, index) =>
    types[index] === "jsonb" ? `${column}::text AS ${column}` : column,
  );
  const given = key.map((_, index) => `$${index + 1}`);
  const where = after === null ? "" : `WHERE (${key.join(", ")}) > (${given.join(", ")})`;
  const limit = `LIMIT $${after === null ? 1 : key.length + 1}`;
  return `SELECT ${selected.join(", ")} FROM jc.${name} ${where} ORDER BY ${key.join(", ")} ${limit}`;
}
