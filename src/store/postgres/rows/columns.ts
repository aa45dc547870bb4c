/** The columns of `ConnectionRow` and `PushRow`. */
export const CONNECTION_COLUMNS = `
  SELECT c.id, c.org, c.vendor, c.environment, c.subject_kind, c.state, c.details::text AS details,
    (SELECT coalesce(json_object_agg(name, value), '{}')::text FROM jc.marks WHERE connection_id = c.id) AS marks
  FROM jc.connections c`;

export const PUSH_COLUMNS = `
  SELECT p.id, c.vendor, c.environment, p.subject, p.state, p.held_cause, p.version, p.delivered_version,
    p.pending_since, p.due_at, p.projection, p.rejection, p.warnings, p.record
  FROM jc.connections c JOIN jc.pushes p ON p.connection_id = c.id`;
