import type { Db, Sql } from "../../../postgres/sql.ts";
import type { Totals } from "../../contract/copying.ts";
import { COPIED_TABLES, COUNTED_BY_TRIGGER } from "../../rows/copied-tables.ts";

/** Counters, the numbers that new rows get, and the statistics by which the database plans. Once more, and nothing is doubled. */
export async function putTotals(db: Db, totals: Totals): Promise<void> {
  const counters = Object.entries(totals.counters).filter(
    ([name, n]) => name !== COUNTED_BY_TRIGGER && n !== 0,
  );
  const sequences = await identities(db.read);
  await db.write("all", async (tx) => {
    await tx.run("SELECT jc.compact_counts()");
    await tx.run("DELETE FROM jc.counter_changes WHERE name <> $1", [COUNTED_BY_TRIGGER]);
    await tx.run("INSERT INTO jc.counter_changes SELECT * FROM unnest($1::text[], $2::bigint[])", [
      counters.map(([name]) => name),
      counters.map(([, n]) => n),
    ]);
    await putNumber(tx, "jc.versions", await highest(tx, VERSIONS, totals.version));
    for (const { sequence, table, column } of sequences) {
      const last = table === "leases" ? FOREIGN_LEASES : `SELECT max(${column}) AS n FROM jc.${table}`;
      await putNumber(tx, sequence, await highest(tx, last, totals.lastNumbers[table] ?? 0));
    }
  });
  await db.read.run(`ANALYZE ${COPIED_TABLES.map(({ name }) => `jc.${name}`).join(", ")}`);
}

const VERSIONS =
  "SELECT greatest((SELECT max(version) FROM jc.pushes), (SELECT max(state_version) FROM jc.invites)) AS n";
/** Claims up to these belong to accounts that are gone. */
const FOREIGN_LEASES = "SELECT max(last_foreign_lease) AS n FROM jc.connections";

async function highest(tx: Sql, sql: string, given: number): Promise<number> {
  const row = await tx.get<{ n: number | null }>(sql);
  return Math.max(row?.n ?? 0, given);
}

async function putNumber(tx: Sql, sequence: string, last: number): Promise<void> {
  if (last > 0) await tx.get("SELECT setval($1::regclass, $2)", [sequence, last]);
}

/** Columns that number rows by themselves; processes have numbers of their own. */
function identities(sql: Sql): Promise<{ sequence: string; table: string; column: string }[]> {
  return sql.all(
    `SELECT pg_get_serial_sequence('jc.' || c.relname, a.attname) AS sequence, c.relname AS table, a.attname AS column
      FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
      WHERE c.relnamespace = 'jc'::regnamespace AND a.attidentity <> '' AND c.relname <> 'holders' ORDER BY c.relname`,
  );
}

/** By name, org and state, as the views have them. */
export async function totalsIn(sql: Sql): Promise<Pick<Totals, "counters" | "invites" | "pushes">> {
  const record = async (select: string) => {
    const rows = await sql.all<{ name: string; n: number }>(select);
    return Object.fromEntries(rows.map(({ name, n }) => [name, n]));
  };
  return {
    counters: await record("SELECT name, value AS n FROM jc.counters"),
    invites: await record("SELECT org AS name, n FROM jc.invite_counts"),
    pushes: await record("SELECT connection_id || ' ' || state AS name, n FROM jc.push_counts"),
  };
}
