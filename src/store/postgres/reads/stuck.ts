import { MAX_TRIES } from "../../../core/delivery/retry.ts";
import { STUCK_AFTER_MS, type StuckCounts } from "../../../core/push.ts";
import type { Sql } from "../../../postgres/sql.ts";

/** Of what waits for too long, so much is looked at for what stands in its way. */
const LOOKED_AT = 10_000;

interface StuckRow {
  id: number;
  pending: number;
  quarantined: number;
  failing: number;
  property: number;
  scope: number;
  candidate: number;
  gone: number;
}

/** By connection, of an org or of all (`null`): what is undelivered for too long, by what stands in its way; and how many are gone. */
export async function stuckOf(
  sql: Sql,
  org: string | null,
  now: number,
): Promise<Map<number, { stuck: StuckCounts; gone: number }>> {
  const rows = await sql.all<StuckRow>(
    `SELECT c.id, coalesce(o.pending, 0) AS pending, coalesce(o.quarantined, 0) AS quarantined, coalesce(o.failing, 0) AS failing,
        ${heldSince("property")}, ${heldSince("scope")}, ${heldSince("candidate")},
        (SELECT count(*) FROM jc.pushes p WHERE ${held("gone")}) AS gone
      FROM jc.connections c CROSS JOIN LATERAL (
        SELECT (SELECT count(*) FROM jc.pushes p WHERE p.connection_id = c.id AND p.state = 'pending' AND p.pending_since < $1) AS pending,
          sum(alone) AS quarantined, count(*) FILTER (WHERE alone = 0 AND tries >= ${MAX_TRIES}) AS failing
        FROM (SELECT p.alone, p.tries FROM jc.pushes p WHERE p.connection_id = c.id AND p.state = 'pending' AND p.pending_since < $1
          ORDER BY p.pending_since LIMIT ${LOOKED_AT}) AS oldest) AS o
      ${org === null ? "" : "WHERE c.org = $2"}`,
    org === null ? [now - STUCK_AFTER_MS] : [now - STUCK_AFTER_MS, org],
  );
  return new Map(
    rows.map(({ id, pending, quarantined, failing, property, scope, candidate, gone }) => {
      const waiting = pending - quarantined - failing;
      return [id, { stuck: { waiting, failing, quarantined, property, scope, candidate }, gone }];
    }),
  );
}

function held(cause: string): string {
  return `p.connection_id = c.id AND p.state = 'held' AND p.held_cause = '${cause}'`;
}

function heldSince(cause: string): string {
  return `(SELECT count(*) FROM jc.pushes p WHERE ${held(cause)} AND p.pending_since < $1) AS ${cause}`;
}
