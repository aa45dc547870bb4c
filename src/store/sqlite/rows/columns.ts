/** The columns of `ConnectionRow` and `PushRow`. */
export const CONNECTION_COLUMNS = `
  SELECT id, org, vendor, environment, subject_kind, state, details,
    (SELECT json_group_object(name, value) FROM marks WHERE connection_id = connections.id) AS marks
  FROM connections`;

export const PUSH_COLUMNS = `
  SELECT p.id, c.vendor, c.environment, p.subject, p.state, p.held_cause, p.version, p.delivered_version,
    p.pending_since, p.due_at, p.projection, p.rejection, p.warnings, p.record
  FROM connections c JOIN pushes p ON p.connection_id = c.id`;
