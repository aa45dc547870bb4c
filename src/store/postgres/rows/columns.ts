/** The columns of `ConnectionRow` and `PushRow`. */
export const CONNECTION_COLUMNS = `
  SELECT c.id, c.org, c.vendor, c.environment, c.subject_kind, c.state, c.details::text AS details,
    (SELECT coalesce(json_object_agg(name, value), '{}')::text FROM jc.marks WHERE connection_id = c.id) AS marks
  FROM jc.connections c`;

export const PUSH_COLUMNS = `
  SELECT p.id, c.vendor, c.environment, p.subject, p.state, p.held_cause, p.version, p.delivered_version,
    p.pending_since, p.due_at, p.projection, p.rejection, p.warnings, p.record
  FROM jc.connections c JOIN jc.pushes p ON p.connection_id = c.id`;

/** The columns of `Attempt`, but for its vendor. */
export const ATTEMPT_COLUMNS = `a.at, a.version, a.outcome, a.http_status AS "httpStatus", a.correlation_id AS "correlationId",
  a.duration_ms AS "durationMs", a.reason`;

/**
 * The newest invite of `l.subject`, of the org `@org`. Looked up for the rows that are shown alone; ordered by a sum, so that the
 * index by time never seems to serve: it would be walked back over all of an org's invites.
 */
export const newestInvite = (kind: "contact" | "assessment") =>
  `(SELECT i.invitation_id FROM jc.invites i WHERE i.org = @org AND i.${kind} = l.subject ORDER BY i.at + 0 DESC, i.id DESC LIMIT 1)`;
