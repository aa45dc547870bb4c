/** A log with many rows, made by SQL: what each of them says is of no account. */
import { join } from "node:path";
import Database from "better-sqlite3";

/** `n` invites of as many people, each with its event, a push that was delivered, and the attempt. The log must be there. */
export function fillLog(stateDir: string, n: number): void {
  const db = new Database(join(stateDir, "log.db"));
  const first = Number(db.prepare("SELECT coalesce(max(id), 0) + 1 FROM invites").pluck().get());
  const numbers = `WITH RECURSIVE numbers (i) AS (SELECT ${first} UNION ALL SELECT i + 1 FROM numbers WHERE i < ${first + n - 1})`;
  const state = JSON.stringify({ filler: "x".repeat(400) });
  try {
    db.pragma("synchronous = OFF");
    db.exec(`BEGIN;
      INSERT OR IGNORE INTO connections (id, org, vendor, environment, subject_kind, state, account_id, details)
        VALUES (1, 'acme', 'hubspot', 'production', 'contact', 'connected', '1', '{"b":1,"a":[1.50,"é"]}');
      ${numbers} INSERT INTO invites (id, org, invitation_id, contact, status, at, owed, state_version, state)
        SELECT i, 'acme', 'inv_' || i, 'p' || i || '@example.com', 'completed', 1700000000000 + i, 1, i, '${state}' FROM numbers;
      ${numbers} INSERT INTO events (source, event_id, body_hash, type, at, received_at, conflict, invite_id, payload)
        SELECT 'jobcannon', 'evt_' || i, randomblob(32), 'invite.completed', 1700000000000 + i, 1700000000000 + i, 0, i,
          '${state}' FROM numbers;
      ${numbers} INSERT INTO pushes (id, connection_id, subject, state, version, delivered_version)
        SELECT i, 1, 'p' || i || '@example.com', 'delivered', i, i FROM numbers;
      ${numbers} INSERT INTO attempts (push_id, version, at, outcome, duration_ms)
        SELECT i, i, 1700000000000 + i, 'delivered', 12 FROM numbers;
      UPDATE counters SET value = value + ${n} WHERE name IN ('events', 'version');
      COMMIT`);
  } finally {
    db.close();
  }
}
