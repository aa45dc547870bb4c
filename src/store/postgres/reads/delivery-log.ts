import type { SubjectKind } from "../../../core/push.ts";
import type { DeliveryLogQuery, LoggedAttempt, ReadVerbs } from "../../contract/reads.ts";
import { ATTEMPT_COLUMNS, newestInvite } from "../rows/columns.ts";
import { named } from "../server/named.ts";
import type { Db, Sql } from "../../../postgres/sql.ts";

/** Attempts visited for one page: whoever pages goes on behind them. */
const LOOKED_AT = 10_000;
/** With no more pushes its attempts are found through them. */
const FEW_PUSHES = 1_000;

const SOURCES = {
  window: `(SELECT * FROM jc.attempts WHERE id < @before ORDER BY id DESC LIMIT ${LOOKED_AT}) AS a
    JOIN jc.pushes p ON p.id = a.push_id`,
  pushes: "jc.pushes p JOIN jc.attempts a ON a.push_id = p.id",
  invite: `jc.invites i JOIN jc.pushes p ON i.org = @org AND i.invitation_id = @invitationId
      AND p.subject = CASE WHEN @kind = 'contact' THEN i.contact ELSE i.assessment END
    JOIN jc.attempts a ON a.push_id = p.id`,
};

/** The tries at one connection, page by page. However few fit, no page looks at more than so many. */
export function createDeliveryLog(db: Db): Pick<ReadVerbs, "deliveryLog"> {
  return {
    deliveryLog: async (query) => {
      const { connectionId, invitationId, outcome, since, limit } = query;
      const connection = await db.read.get<{ org: string; vendor: string; kind: SubjectKind }>(
        "SELECT org, vendor, subject_kind AS kind FROM jc.connections WHERE id = $1",
        [connectionId],
      );
      if (!connection) return { attempts: [], next: null };
      const { org, vendor, kind } = connection;
      const source = await sourceFor(db.read, query);
      const before = query.before ?? (await behindNewest(db.read));
      const conditions = [
        "p.connection_id = @connectionId AND a.id < @before",
        outcome === undefined ? "" : "AND a.outcome = @outcome",
        since === undefined ? "" : "AND a.at >= @since",
      ];
      const invite = newestInvite(kind === "contact" ? "contact" : "assessment");
      const order = source === "window" ? "a.id" : "a.id + 0";
      const rows = await db.read.all<Omit<LoggedAttempt, "vendor">>(
        ...named(
          `SELECT l.*, ${invite} AS "invitationId"
            FROM (SELECT a.id, ${ATTEMPT_COLUMNS}, p.subject, p.state AS "pushState", p.held_cause AS "heldCause" FROM ${SOURCES[source]}
              WHERE ${conditions.join(" ")} ORDER BY ${order} DESC LIMIT @limit) AS l
            ORDER BY l.id DESC`,
          { org, kind, connectionId, invitationId, outcome, since, before, limit },
        ),
      );
      const attempts = rows.map((row) => ({ ...row, vendor }));
      if (attempts.length === limit) return { attempts, next: attempts.at(-1)?.id ?? null };
      return { attempts, next: source === "window" ? await behindWindow(db.read, before) : null };
    },
  };
}

async function sourceFor(
  sql: Sql,
  { connectionId, invitationId }: DeliveryLogQuery,
): Promise<keyof typeof SOURCES> {
  if (invitationId !== undefined) return "invite";
  const row = await sql.get<{ n: number }>(
    "SELECT coalesce(sum(n), 0)::bigint AS n FROM jc.push_counts WHERE connection_id = $1",
    [connectionId],
  );
  return (row?.n ?? 0) <= FEW_PUSHES ? "pushes" : "window";
}

async function behindNewest(sql: Sql): Promise<number> {
  const row = await sql.get<{ last: number }>("SELECT coalesce(max(id), 0) + 1 AS last FROM jc.attempts");
  return row?.last ?? 1;
}

/** The last attempt that the window holds; null where it holds all that are left. */
async function behindWindow(sql: Sql, before: number): Promise<number | null> {
  const row = await sql.get<{ id: number }>(
    `SELECT id FROM jc.attempts WHERE id < $1 ORDER BY id DESC LIMIT 1 OFFSET ${LOOKED_AT - 1}`,
    [before],
  );
  return row?.id ?? null;
}
