import type { Scope, Sql } from "../../../postgres/sql.ts";

/** Keeps those out who raise or claim pushes of these connections: what else is going on beside it changes none of them but its own. */
export async function scopeOfConnections(sql: Sql, ids: readonly number[]): Promise<Exclude<Scope, "all">> {
  const rows = await sql.all<{ org: string }>(
    "SELECT DISTINCT org FROM jc.connections WHERE id = ANY ($1::bigint[])",
    [ids],
  );
  return { orgs: rows.map(({ org }) => org), connections: ids };
}
