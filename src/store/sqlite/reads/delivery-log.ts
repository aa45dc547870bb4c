import type { SubjectKind } from "../../../core/push.ts";
import type { DeliveryLogPage, DeliveryLogQuery, LoggedAttempt } from "../../contract/store.ts";
import type { Db } from "../file/db.ts";

/** Attempts visited for one page, some 10 ms: whoever pages goes on behind them. */
const LOOKED_AT = 10_000;
/** With no more pushes its attempts are found through them. */
const FEW_PUSHES = 1_000;

const newestInvite = (kind: SubjectKind) =>
  `(SELECT invitation_id FROM invites INDEXED BY invites_of_${kind} WHERE org = @org AND ${kind} = subject ORDER BY at DESC, id DESC LIMIT 1)`;

/** The tries at one connection, page by page. However few fit, no page looks at more than so many. */
export function createDeliveryLog(db: Db) {
  const last = db.prepare<[], number>("SELECT coalesce(max(id), 0) FROM attempts").pluck();
  const pushesOf = db
    .prepare<[number], number>("SELECT coalesce(sum(n), 0) FROM push_counts WHERE connection_id = ?")
    .pluck();
  const behindWindow = db
    .prepare<[number], number>(
      `SELECT id FROM attempts WHERE id < ? ORDER BY id DESC LIMIT 1 OFFSET ${LOOKED_AT - 1}`,
    )
    .pluck();
  const ofConnection = db.prepare<[number], { org: string; kind: SubjectKind }>(
    "SELECT org, subject_kind AS kind FROM connections WHERE id = ?",
  );
  const SOURCES = {
    window: `(SELECT * FROM attempts WHERE id < @before ORDER BY id DESC LIMIT ${LOOKED_AT}) a
      CROSS JOIN pushes p ON p.id = a.push_id`,
    pushes: "pushes p CROSS JOIN attempts a ON a.push_id = p.id",
    invite: `(SELECT contact, assessment FROM invites WHERE org = @org AND invitation_id = @invitationId) i
      CROSS JOIN pushes p ON p.connection_id = @connectionId AND p.subject = iif(@kind = 'contact', i.contact, i.assessment)
      CROSS JOIN attempts a ON a.push_id = p.id`,
  };
  const sourceFor = ({ connectionId, invitationId }: DeliveryLogQuery): keyof typeof SOURCES => {
    if (invitationId !== undefined) return "invite";
    return (pushesOf.get(connectionId) ?? 0) <= FEW_PUSHES ? "pushes" : "window";
  };

  return (query: DeliveryLogQuery): DeliveryLogPage => {
    const { connectionId, invitationId, outcome, since, limit } = query;
    const connection = ofConnection.get(connectionId);
    if (!connection) return { attempts: [], next: null };
    const source = sourceFor(query);
    const before = query.before ?? (last.get() ?? 0) + 1;
    const conditions = [
      "p.connection_id = @connectionId AND a.id < @before",
      outcome === undefined ? "" : "AND a.outcome = @outcome",
      since === undefined ? "" : "AND a.at >= @since",
    ];
    const attempts = db
      .prepare<object, LoggedAttempt>(`
        SELECT id, at, version, outcome, httpStatus, correlationId, durationMs, reason, vendor, subject,
          ${newestInvite(connection.kind)} AS invitationId
        FROM (
          SELECT a.id, a.at, a.version, a.outcome, a.http_status AS httpStatus, a.correlation_id AS correlationId,
            a.duration_ms AS durationMs, a.reason, p.subject,
            (SELECT vendor FROM connections WHERE id = @connectionId) AS vendor
          FROM ${SOURCES[source]} WHERE ${conditions.join(" ")} ORDER BY a.id DESC LIMIT @limit)`)
      .all({ ...connection, connectionId, invitationId, outcome, since, before, limit });
    const oldest = attempts.at(-1)?.id ?? null;
    if (attempts.length === limit) return { attempts, next: oldest };
    return { attempts, next: source === "window" ? (behindWindow.get(before) ?? null) : null };
  };
}
