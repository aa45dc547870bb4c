import type { Db } from "../file/db.ts";
import type { PurgeTable } from "./rule.ts";

const EVENTS = 200;

/** Those without an invite: of a type nobody knows, and vendors' words on assessments whose invite never came. */
export function purgeEvents(db: Db): PurgeTable {
  const pageOf = (range: string) =>
    db.prepare<object, EventRow>(`
      SELECT e.seq, e.received_at AS receivedAt, c.org,
        EXISTS (SELECT 1 FROM questions q WHERE q.seq = e.seq) AS isAsked
      FROM events e INDEXED BY events_alone LEFT JOIN confirmations c ON c.seq = e.seq
      WHERE e.invite_id IS NULL AND e.received_at < @youngest AND ${range} ORDER BY e.received_at, e.seq LIMIT @limit`);
  const sameMoment = pageOf("e.received_at = @afterAt AND e.seq > @afterSeq");
  const later = pageOf("e.received_at > @afterAt");
  const removeConfirmation = db.prepare("DELETE FROM confirmations WHERE seq = ?");
  const removeEvent = db.prepare("DELETE FROM events WHERE seq = ?");

  return ({ after, isDry, youngest, cutoff, cutoffOf }) => {
    const [afterAt = Number.MIN_SAFE_INTEGER, afterSeq = 0] = after?.split("/").map(Number) ?? [];
    const values = { youngest, afterAt, afterSeq };
    const rest = sameMoment.all({ ...values, limit: EVENTS });
    const rows = [...rest, ...later.all({ ...values, limit: EVENTS - rest.length })];
    const going = rows.filter(
      ({ receivedAt, org, isAsked }) => isAsked === 0 && receivedAt < (org === null ? cutoff : cutoffOf(org)),
    );
    if (!isDry)
      for (const { seq } of going) {
        removeConfirmation.run(seq);
        removeEvent.run(seq);
      }
    const last = rows.length < EVENTS ? undefined : rows.at(-1);
    return {
      removed: { events: going.length },
      next: last === undefined ? null : `${last.receivedAt}/${last.seq}`,
    };
  };
}

interface EventRow {
  seq: number;
  receivedAt: number;
  /** Of a confirmation; of an event of an unknown type nobody knows whose it is. */
  org: string | null;
  isAsked: 0 | 1;
}
