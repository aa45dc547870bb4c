import type { PushState, SubjectKind } from "../../../core/push.ts";
import type { Db } from "../file/db.ts";
import { isOfSubject } from "../../rows/subject-sql.ts";
import { createNoteRemoved } from "./note-removed.ts";
import type { PurgeTable } from "./rule.ts";
import { STAYS } from "./stays.ts";

const PUSHES = 200;

/** Connection by connection, in the order of an index that holds the subjects. */
export function purgePushes(db: Db): PurgeTable {
  const nextConnection = db.prepare<[number], ConnectionRow>(
    "SELECT id, org, subject_kind AS kind FROM connections WHERE id > ? ORDER BY id LIMIT 1",
  );
  const connection = db.prepare<[number], ConnectionRow>(
    "SELECT id, org, subject_kind AS kind FROM connections WHERE id = ?",
  );
  const pageOf = (kind: SubjectKind) =>
    db.prepare<object, PushRow>(`
      SELECT p.id, p.subject,
        EXISTS (SELECT 1 FROM invites i WHERE i.org = @org AND ${isOfSubject(kind, "p.subject")} AND ${STAYS})
        OR p.record IS NOT NULL AND EXISTS (
          SELECT 1 FROM pushes m CROSS JOIN invites i ON i.org = @org AND ${isOfSubject(kind, "m.subject")}
          WHERE m.connection_id = p.connection_id AND m.record = p.record AND ${STAYS}) AS isWanted
      FROM pushes p WHERE p.connection_id = @connectionId AND p.subject > @after ORDER BY p.subject LIMIT ${PUSHES}`);
  const pages = { contact: pageOf("contact"), assessment: pageOf("assessment"), result: pageOf("result") };
  const settled = db
    .prepare<object, PushState>(`
      SELECT state FROM pushes WHERE id = @id AND state NOT IN ('pending', 'held')
        AND coalesce((SELECT max(at) FROM attempts WHERE push_id = @id), 0) < @cutoff`)
    .pluck();
  const hasAttempt = db.prepare<[number]>("SELECT 1 FROM attempts WHERE push_id = ? LIMIT 1");
  const removeAttempts = db.prepare("DELETE FROM attempts WHERE push_id = ?");
  const removePush = db.prepare("DELETE FROM pushes WHERE id = ?");
  const countOn = db.prepare(`
    INSERT INTO gone_counts VALUES (?, ?) ON CONFLICT DO UPDATE SET delivered = delivered + excluded.delivered`);
  const noteRemoved = createNoteRemoved(db);

  return ({ after, isDry, cutoffOf, now }) => {
    const place: Place | null = after === null ? null : JSON.parse(after);
    const of = place ? connection.get(place.connectionId) : nextConnection.get(0);
    if (!of) return { removed: {}, next: null };
    const cutoff = cutoffOf(of.org);
    const values = { connectionId: of.id, org: of.org, after: place?.subject ?? "", cutoff };
    const rows = pages[of.kind].all(values);
    const removed = { pushes: 0, rejected: 0, attempts: 0 };
    let delivered = 0;
    for (const { id } of rows.filter(({ isWanted }) => isWanted === 0)) {
      const state = settled.get({ id, cutoff });
      if (state === undefined) continue;
      removed.pushes += 1;
      removed.rejected += Number(state === "rejected");
      delivered += Number(state === "delivered");
      // Of old ones the last alone is left by now, or would be.
      removed.attempts += isDry ? Number(hasAttempt.get(id) !== undefined) : removeAttempts.run(id).changes;
      if (!isDry) removePush.run(id);
    }
    if (!isDry) {
      noteRemoved(of.org, "rejected", removed.rejected, now);
      if (delivered > 0) countOn.run(of.id, delivered);
    }
    const last = rows.length < PUSHES ? undefined : rows.at(-1);
    const following = last
      ? { connectionId: of.id, subject: last.subject }
      : beginningOf(nextConnection.get(of.id));
    return { removed, next: following && JSON.stringify(following) };
  };
}

function beginningOf(connection: ConnectionRow | undefined): Place | null {
  return connection ? { connectionId: connection.id, subject: "" } : null;
}

interface Place {
  connectionId: number;
  subject: string;
}

interface ConnectionRow {
  id: number;
  org: string;
  kind: SubjectKind;
}

interface PushRow {
  id: number;
  subject: string;
  isWanted: 0 | 1;
}
