import type { PushState } from "../../../core/push.ts";
import type { Overview, QuestionCounts } from "../../contract/reads.ts";
import { DAY_MS, REMOVED_SHOWN_MS, type RemovedRow, removedIn } from "../../rows/overview.ts";
import { type ConnectionRow, connectionOf } from "../../rows/rows.ts";
import { CONNECTION_COLUMNS } from "../rows/columns.ts";
import { named } from "../server/named.ts";
import type { Sql } from "../../../postgres/sql.ts";
import { stuckOf } from "./stuck.ts";

/** One org, or all, in numbers that triggers keep: nothing is counted here but what is stuck. */
export async function overview(sql: Sql, org: string | null, now: number): Promise<Overview> {
  const here = org === null ? "TRUE" : "org = @org";
  const all = <Row extends object>(text: string, values: Record<string, unknown> = {}) =>
    sql.all<Row>(...named(text, { org, now, ...values }));
  const counters = await all<{ name: string; value: number }>("SELECT name, value FROM jc.counters");
  const {
    events = 0,
    unmatched = 0,
    ignored = 0,
    conflicts = 0,
  } = Object.fromEntries(counters.map(({ name, value }) => [name, value]));
  const [invites] = await all<{ n: number | null }>(
    `SELECT sum(n)::bigint AS n FROM jc.invite_counts WHERE ${here}`,
  );
  // The longest waiting one tells why.
  const questions = await all<QuestionCounts>(
    `SELECT org, vendor, environment, count(*) AS n, min(asked_at) AS since, (array_agg(reason ORDER BY asked_at, seq))[1] AS reason
      FROM jc.questions WHERE ${here} GROUP BY org, vendor, environment ORDER BY org, vendor, environment`,
  );
  const consents = await all<Overview["consents"][number]>(
    `SELECT org, vendor, environment, expires_at AS "expiresAt", refused_at AS "refusedAt", refusal FROM jc.consents
      WHERE ${here} AND outcome IS NULL AND expires_at > @now ORDER BY org, vendor, environment`,
  );
  const [removed] = await all<RemovedRow>(
    `SELECT coalesce(sum(n) FILTER (WHERE what = 'invites'), 0)::bigint AS invites,
        coalesce(sum(n) FILTER (WHERE what = 'rejected'), 0)::bigint AS rejected,
        coalesce(sum(n) FILTER (WHERE what = 'refused'), 0)::bigint AS refused,
        max(day) FILTER (WHERE what <> 'refused') * ${DAY_MS} AS "lastAt"
      FROM jc.purges WHERE ${here} AND day > @day`,
    { day: Math.floor((now - REMOVED_SHOWN_MS) / DAY_MS) },
  );
  const [erased] = await all<{ people: number }>(
    `SELECT count(DISTINCT person) AS people FROM jc.erasures WHERE ${here}`,
  );
  return {
    events: { total: events, unmatched, ignored, conflicts },
    orgs: await orgs(sql),
    invites: invites?.n ?? 0,
    connections: await connectionCounts(sql, org, now),
    questions,
    consents,
    removed: removedIn(removed),
    erased: { people: erased?.people ?? 0, refused: removed?.refused ?? 0 },
  };
}

async function connectionCounts(sql: Sql, org: string | null, now: number): Promise<Overview["connections"]> {
  const values = org === null ? [] : [org];
  const rows = await sql.all<ConnectionRow>(
    `${CONNECTION_COLUMNS} ${org === null ? "" : "WHERE c.org = $1"} ORDER BY c.org, c.vendor, c.environment`,
    values,
  );
  const counts = await sql.all<{ connection: number; state: PushState; n: number }>(
    `SELECT c.id AS connection, p.state, p.n FROM jc.connections c JOIN jc.push_counts p ON p.connection_id = c.id
      ${org === null ? "" : "WHERE c.org = $1"}`,
    values,
  );
  const gone = await sql.all<{ connection: number; delivered: number }>(
    `SELECT c.id AS connection, g.delivered FROM jc.connections c JOIN jc.gone_counts g ON g.connection_id = c.id
      ${org === null ? "" : "WHERE c.org = $1"}`,
    values,
  );
  const stuck = await stuckOf(sql, org, now);
  const deliveredBefore = new Map(gone.map(({ connection, delivered }) => [connection, delivered]));
  const byState = new Map(rows.map(({ id }) => [id, new Map<PushState, number>()]));
  for (const { connection, state, n } of counts) byState.get(connection)?.set(state, n);
  return rows.map((row) => {
    const {
      pending = 0,
      delivered = 0,
      rejected = 0,
      held = 0,
    } = Object.fromEntries(byState.get(row.id) ?? []);
    return {
      connection: connectionOf(row),
      pushes: { pending, delivered: delivered + (deliveredBefore.get(row.id) ?? 0), rejected, held },
      stuck: stuck.get(row.id)?.stuck ?? NOT_STUCK,
      gone: stuck.get(row.id)?.gone ?? 0,
    };
  });
}

/** Of a connection that came in between. */
const NOT_STUCK = { waiting: 0, failing: 0, quarantined: 0, property: 0, scope: 0, candidate: 0 };

/** Of which org anything is known; whatever the log's size, as many as there are names. */
export async function orgs(sql: Sql): Promise<string[]> {
  const rows = await sql.all<{ org: string }>(
    `SELECT org FROM jc.connections UNION SELECT org FROM jc.invite_counts WHERE n > 0 UNION SELECT org FROM jc.consents
      UNION SELECT org FROM jc.questions UNION SELECT org FROM jc.erasures ORDER BY org`,
  );
  return rows.map(({ org }) => org);
}
