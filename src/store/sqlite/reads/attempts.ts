import { emailKey } from "../../../core/event.ts";
import type { SubjectKind } from "../../../core/push.ts";
import type { AttemptPage, AttemptQuery, AttemptSum, LoggedAttempt } from "../../contract/store.ts";
import { UNASKED } from "../../../core/subject.ts";
import type { Db } from "../file/db.ts";
import { SUBJECT_COLUMN, subjectsOfInvite } from "../../rows/subject-sql.ts";

/** From the newest attempt back: for orgs that are in most of it. */
const BY_TIME = `attempts a CROSS JOIN pushes p ON p.id = a.push_id CROSS JOIN connections c ON c.id = p.connection_id`;
/** From the org's pushes to theirs. */
const BY_PUSH = `connections c CROSS JOIN pushes p ON p.connection_id = c.id CROSS JOIN attempts a ON a.push_id = p.id`;

/** Looked up for the rows that are shown, and by name: SQLite would rather walk back over all of an org's invites. */
const newestInvite = (kind: Exclude<SubjectKind, "result">) =>
  `(SELECT invitation_id FROM invites INDEXED BY invites_of_${kind} WHERE org = @org AND ${kind} = subject ORDER BY at DESC, id DESC LIMIT 1)`;
const askedOrNamed = `coalesce(${newestInvite("assessment")}, iif(substr(subject, 1, ${UNASKED.length}) = '${UNASKED}', substr(subject, ${UNASKED.length + 1}), NULL))`;

/** The delivery log: attempts as they were appended. */
export function createAttempts(db: Db) {
  const last = db.prepare<[], number>("SELECT coalesce(max(id), 0) FROM attempts").pluck();
  const pushesOf = db
    .prepare<[string], number>(
      `SELECT coalesce(sum(n), 0) FROM push_counts WHERE connection_id IN (SELECT id FROM connections WHERE org = ?)`,
    )
    .pluck();
  const lastAttempt = () => last.get() ?? 0;

  /** Back in time, an org with a share of the pushes is met so often; where that is rarely, its pushes are fewer. */
  const pathFor = ({ org, email, invitationId, after, limit }: AttemptQuery): string => {
    if (email !== undefined || invitationId !== undefined) return BY_PUSH;
    if (after !== undefined) return BY_TIME;
    const pushes = pushesOf.get(org) ?? 0;
    return pushes * pushes < limit * lastAttempt() ? BY_PUSH : BY_TIME;
  };
  const fitting = (query: Omit<AttemptQuery, "limit">) => {
    const { org, after = 0, vendor, outcome, invitationId, since, until } = query;
    const contact = query.email === undefined ? undefined : emailKey(query.email);
    const where = [
      "c.org = @org AND a.id > @after",
      vendor === undefined ? "" : "AND c.vendor = @vendor",
      outcome === undefined ? "" : "AND a.outcome = @outcome",
      contact === undefined
        ? ""
        : `AND p.subject IN (SELECT @contact UNION SELECT ${SUBJECT_COLUMN.result} FROM invites i WHERE org = @org AND contact = @contact)`,
      invitationId === undefined ? "" : `AND p.subject IN (${subjectsOfInvite("invites")})`,
      since === undefined ? "" : "AND a.at >= @since",
      until === undefined ? "" : "AND a.at < @until",
    ].join(" ");
    return { where, values: { org, after, vendor, outcome, contact, invitationId, since, until } };
  };
  return {
    attempts: (query: AttemptQuery): AttemptPage => {
      // Before the look itself: what comes in between has a greater id.
      const newest = lastAttempt();
      const { where, values } = fitting(query);
      const rows = db.prepare<object, LoggedAttempt>(`
        SELECT id, at, version, outcome, httpStatus, correlationId, durationMs, reason, vendor, subject, pushState, heldCause,
          CASE kind WHEN 'contact' THEN ${newestInvite("contact")} WHEN 'assessment' THEN ${newestInvite("assessment")}
            ELSE ${askedOrNamed} END AS invitationId
        FROM (
          SELECT a.id, a.at, a.version, a.outcome, a.http_status AS httpStatus, a.correlation_id AS correlationId,
            a.duration_ms AS durationMs, a.reason, c.vendor, p.subject, c.subject_kind AS kind, p.state AS pushState,
            p.held_cause AS heldCause
          FROM ${pathFor(query)} WHERE ${where} ORDER BY a.id DESC LIMIT @limit)
        ORDER BY id`);
      return { attempts: rows.all({ ...values, limit: query.limit }), newest };
    },
    countAttempts: (query: Omit<AttemptQuery, "limit">, atMost: number): number => {
      const { where, values } = fitting(query);
      const path = pathFor({ ...query, limit: atMost });
      const counted = `SELECT 1 FROM ${path} WHERE ${where} LIMIT @atMost`;
      const count = db.prepare<object, number>(`SELECT count(*) FROM (${counted})`).pluck();
      return count.get({ ...values, atMost }) ?? 0;
    },
    attemptSums: (query: Omit<AttemptQuery, "limit">): AttemptSum[] => {
      // Which try was a push's last is seen among all of them.
      const { outcome = null, ...anyOutcome } = query;
      const { where, values } = fitting(anyOutcome);
      const path = pathFor({ ...query, limit: Number.MAX_SAFE_INTEGER });
      return db
        .prepare<object, AttemptSum>(`
          SELECT vendor, environment, outcome, count(*) AS attempts, sum(isLast) AS subjects,
            min(at) AS firstAt, max(at) AS lastAt
          FROM (
            SELECT c.id AS connection, c.vendor, c.environment, a.outcome, a.at,
              a.id = max(a.id) OVER (PARTITION BY a.push_id) AS isLast
            FROM ${path} WHERE ${where})
          WHERE @sought IS NULL OR outcome = @sought
          GROUP BY connection, outcome ORDER BY vendor, environment, outcome`)
        .all({ ...values, sought: outcome });
    },
  };
}
