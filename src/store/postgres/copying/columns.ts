import type { Sql } from "../../../postgres/sql.ts";
import type { CopiedTable } from "../../contract/copying.ts";
import { COPIED_TABLES } from "../../rows/copied-tables.ts";

/** A table that is copied to, with what its columns are. */
export interface TypedTable extends CopiedTable {
  /** `bigint`, `integer`, `text`, `bytea` or `jsonb`, one for each column. */
  types: readonly string[];
}

/** As the database has them, so that a new column needs no word here. */
export async function typedTables(sql: Sql): Promise<TypedTable[]> {
  const found = await sql.all<{ table: string; name: string; type: string }>(
    `SELECT c.relname AS table, a.attname AS name, format_type(a.atttypid, NULL) AS type
      FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
      WHERE c.relnamespace = 'jc'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
      ORDER BY c.relname, a.attnum`,
  );
  return COPIED_TABLES.map((table) => {
    const columns = found.filter((each) => each.table === table.name);
    return {
      instead: {},
      ...table,
      columns: columns.map(({ name }) => name),
      types: columns.map(({ type }) => type),
    };
  });
}
