/** Makes what was delivered old, in a log that anybody may have open. */
import { join } from "node:path";
import Database from "better-sqlite3";

const AGE_MS = 100 * 24 * 3_600_000;

/** Up to `limit` invites that are not old yet are from a hundred days ago. Returns how many those were. */
export function ageDelivered(stateDir: string, limit: number): number {
  const db = new Database(join(stateDir, "log.db"), { timeout: 5_000 });
  try {
    return db.transaction(() => ageSome(db, limit)).immediate();
  } finally {
    db.close();
  }
}

function ageSome(db: Database.Database, limit: number): number {
  const then = Date.now() - AGE_MS;
  const found = db
    .prepare<object, number>(`
      SELECT i.id FROM invites i JOIN pushes p ON p.subject = i.contact
      WHERE p.state = 'delivered' AND EXISTS (SELECT 1 FROM events WHERE invite_id = i.id AND received_at > @then)
      LIMIT @limit`)
    .pluck()
    .all({ then, limit });
  const values = { then, ids: JSON.stringify(found) };
  const ofThose = "IN (SELECT value FROM json_each(@ids))";
  db.prepare(`UPDATE invites SET at = @then WHERE id ${ofThose}`).run(values);
  db.prepare(`UPDATE events SET received_at = @then WHERE invite_id ${ofThose}`).run(values);
  db.prepare(`
    UPDATE attempts SET at = @then WHERE push_id IN (
      SELECT p.id FROM pushes p JOIN invites i ON i.contact = p.subject WHERE i.id ${ofThose})`).run(values);
  return found.length;
}
