import type { Figures, FiguresQuery } from "../../contract/reads.ts";
import type { Sql } from "../../../postgres/sql.ts";

/** What triggers have counted, and what stands first in an index. */
export async function figures(sql: Sql, { now, windows }: FiguresQuery): Promise<Figures> {
  const pushes = await sql.all<Figures["pushes"][number]>(
    `SELECT connection_id AS "connectionId", state, n FROM jc.push_counts WHERE n > 0 AND state <> 'never'
      ORDER BY connection_id, state`,
  );
  const oldestPending = await sql.all<Figures["oldestPending"][number]>(
    `SELECT c.id AS "connectionId", o.since FROM jc.connections c
      CROSS JOIN LATERAL (SELECT min(pending_since) AS since FROM jc.pushes WHERE connection_id = c.id AND state = 'pending') AS o
      WHERE o.since IS NOT NULL ORDER BY c.id`,
  );
  const calls = await sql.all<{ n: number }>(
    `SELECT (SELECT count(*) FROM jc.calls WHERE key = w.key
        AND (holder IS NOT NULL OR since BETWEEN $3::bigint - w.window_ms AND $3::bigint)) AS n
      FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS w (key, window_ms, n) ORDER BY w.n`,
    [windows.map(({ key }) => key), windows.map(({ windowMs }) => windowMs), Math.round(now)],
  );
  return { pushes, oldestPending, calls: calls.map(({ n }) => n) };
}
