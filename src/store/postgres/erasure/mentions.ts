import { mentions } from "../../../core/erasure.ts";
import type { LookedThrough, MentionsByTable } from "../../rows/theirs.ts";
import type { Sql } from "../../../postgres/sql.ts";
import { asText, isRow, LOOKED_THROUGH, type LookedTable, orgIn } from "./tables.ts";

/** Looked at in one go. */
const ROWS = 2_000;

/**
 * Looks through every text in which an address may stand, a page at a time. `from`: only what came after. A row whose org
 * nobody can tell counts as anybody's.
 */
export async function findMentions(
  sql: Sql,
  { org, addresses }: { org: string; addresses: readonly string[] },
  from: LookedThrough = {},
): Promise<MentionsByTable> {
  const found: MentionsByTable = new Map();
  for (const table of LOOKED_THROUGH) {
    const rows: Record<string, unknown>[] = [];
    for (let after: number | null = from[table.name] ?? 0; after !== null; ) {
      const page: Record<string, unknown>[] = await pageOf(sql, table, after);
      for (const row of page) if (await isTheirs(sql, table, { row, org, addresses })) rows.push(row);
      const last: number = table.isLarge ? Number(page.at(-1)?.[table.key[0] ?? ""] ?? after) : 0;
      after = table.isLarge && page.length === ROWS ? last : null;
    }
    if (rows.length > 0) found.set(table.name, rows);
  }
  return found;
}

/** The last number of each large table; under the lock that keeps out all others, none below it is still to come. */
export async function lastOfAll(tx: Sql): Promise<LookedThrough> {
  const last: LookedThrough = {};
  for (const { name, key } of LOOKED_THROUGH.filter(({ isLarge }) => isLarge)) {
    const row = await tx.get<{ n: number | null }>(`SELECT max(${key[0]}) AS n FROM jc.${name}`);
    last[name] = row?.n ?? 0;
  }
  return last;
}

function pageOf(
  sql: Sql,
  { name, key, columns, isLarge }: LookedTable,
  after: number,
): Promise<Record<string, unknown>[]> {
  const wanted = [...new Set([...key, ...columns])].map(asText).join(", ");
  const [first = ""] = key;
  return isLarge
    ? sql.all(`SELECT ${wanted} FROM jc.${name} t WHERE t.${first} > $1 ORDER BY t.${first} LIMIT ${ROWS}`, [
        after,
      ])
    : sql.all(`SELECT ${wanted} FROM jc.${name} t`);
}

async function isTheirs(
  sql: Sql,
  table: LookedTable,
  of: { row: Readonly<Record<string, unknown>>; org: string; addresses: readonly string[] },
): Promise<boolean> {
  const isMentioned = table.columns.some((name) => {
    const text = of.row[name];
    return typeof text === "string" && mentions(text, of.addresses);
  });
  if (!isMentioned) return false;
  if (table.org === null) return true;
  const owner = await sql.get<{ org: string | null }>(
    `SELECT ${table.org} AS org FROM jc.${table.name} t WHERE ${isRow(table, 1)}`,
    table.key.map((name) => of.row[name]),
  );
  const org = owner?.org ?? orgIn(of.row.payload);
  return org === null || org === of.org;
}
