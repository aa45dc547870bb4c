import { emailKey } from "../../../core/event.ts";
import { UNASKED } from "../../../core/subject.ts";
import type { AttemptQuery, AttemptSum, LoggedAttempt, ReadVerbs } from "../../contract/reads.ts";
import { SUBJECT_COLUMN, subjectsOfInvite } from "../../rows/subject-sql.ts";
import { ATTEMPT_COLUMNS, newestInvite } from "../rows/columns.ts";
import { named } from "../server/named.ts";
import type { Db, Sql } from "../../../postgres/sql.ts";

const JOINED =
  "jc.attempts a JOIN jc.pushes p ON p.id = a.push_id JOIN jc.connections c ON c.id = p.connection_id";

const length = UNASKED.length;
const INVITATION = `CASE l.kind WHEN 'contact' THEN ${newestInvite("contact")} WHEN 'assessment' THEN ${newestInvite("assessment")}
  ELSE coalesce(${newestInvite("assessment")}, CASE WHEN substr(l.subject, 1, ${length}) = '${UNASKED}' THEN substr(l.subject, ${length + 1}) END) END`;

/** The delivery log: attempts as they were appended. */
export function createAttempts(db: Db): Pick<ReadVerbs, "attempts" | "countAttempts" | "attemptSums"> {
  return {
    attempts: async (query) => {
      // Before the look itself: what comes in between has a greater id.
      const newest = await lastAttempt(db.read);
      const { where, values } = fitting(query);
      const order = (await isWalked(db.read, query, newest)) ? "a.id" : "a.id + 0";
      const attempts = await db.read.all<LoggedAttempt>(
        ...named(
          `SELECT l.id, l.at, l.version, l.outcome, l."httpStatus", l."correlationId", l."durationMs", l.reason, l.vendor, l.subject,
              l."pushState", l."heldCause", ${INVITATION} AS "invitationId"
            FROM (SELECT a.id, ${ATTEMPT_COLUMNS}, c.vendor, p.subject, c.subject_kind AS kind, p.state AS "pushState",
                p.held_cause AS "heldCause"
              FROM ${JOINED} WHERE ${where} ORDER BY ${order} DESC LIMIT @limit) AS l
            ORDER BY l.id`,
          { ...values, limit: query.limit },
        ),
      );
      return { attempts, newest };
    },
    countAttempts: async (query, atMost) => {
      const { where, values } = fitting(query);
      const row = await db.read.get<{ n: number }>(
        ...named(
          `SELECT count(*) AS n FROM (SELECT 1 FROM ${JOINED} WHERE ${where} LIMIT @atMost) AS counted`,
          { ...values, atMost },
        ),
      );
      return row?.n ?? 0;
    },
    attemptSums: (query) => {
      // Which try was a push's last is seen among all of them.
      const { outcome = null, ...anyOutcome } = query;
      const { where, values } = fitting(anyOutcome);
      return db.read.all<AttemptSum>(
        ...named(
          `SELECT vendor, environment, outcome, count(*) AS attempts, count(*) FILTER (WHERE is_last) AS subjects,
              min(at) AS "firstAt", max(at) AS "lastAt"
            FROM (SELECT c.id AS connection, c.vendor, c.environment, a.outcome, a.at,
                a.id = max(a.id) OVER (PARTITION BY a.push_id) AS is_last
              FROM ${JOINED} WHERE ${where}) AS tries
            WHERE @sought::text IS NULL OR outcome = @sought
            GROUP BY connection, vendor, environment, outcome ORDER BY vendor, environment, outcome`,
          { ...values, sought: outcome },
        ),
      );
    },
  };
}

async function lastAttempt(sql: Sql): Promise<number> {
  const row = await sql.get<{ last: number }>("SELECT coalesce(max(id), 0) AS last FROM jc.attempts");
  return row?.last ?? 0;
}

/**
 * From the newest attempt back, or over all of the org's? Back in time, an org with a share of the pushes is met so often; where
 * that is rarely, its pushes are fewer. Said to PostgreSQL by the order, which else takes each org for one like any other.
 */
async function isWalked(
  sql: Sql,
  { org, email, invitationId, after, limit }: AttemptQuery,
  newest: number,
): Promise<boolean> {
  if (email !== undefined || invitationId !== undefined) return false;
  if (after !== undefined) return true;
  const row = await sql.get<{ pushes: number }>(
    `SELECT coalesce(sum(n), 0)::bigint AS pushes FROM jc.push_counts
      WHERE connection_id IN (SELECT id FROM jc.connections WHERE org = $1)`,
    [org],
  );
  const pushes = row?.pushes ?? 0;
  return pushes * pushes >= limit * newest;
}

function fitting(query: Omit<AttemptQuery, "limit">) {
  const { org, after = 0, vendor, outcome, invitationId, since, until } = query;
  const contact = query.email === undefined ? undefined : emailKey(query.email);
  const subjects = `SELECT @contact::text UNION SELECT ${SUBJECT_COLUMN.result} FROM jc.invites i WHERE i.org = @org AND i.contact = @contact`;
  const where = [
    "c.org = @org AND a.id > @after",
    vendor === undefined ? "" : "AND c.vendor = @vendor",
    outcome === undefined ? "" : "AND a.outcome = @outcome",
    contact === undefined ? "" : `AND p.subject IN (${subjects})`,
    invitationId === undefined ? "" : `AND p.subject IN (${subjectsOfInvite("jc.invites")})`,
    since === undefined ? "" : "AND a.at >= @since",
    until === undefined ? "" : "AND a.at < @until",
  ].join(" ");
  return { where, values: { org, after, vendor, outcome, contact, invitationId, since, until } };
}
