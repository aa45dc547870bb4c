import { SUBJECT_OF_KIND } from "../../rows/subject-sql.ts";

/**
 * Why an invite `i` stays that is old: it was heard of since (an old file was imported, say), a vendor is still to be asked
 * about it, a push of its contact or its assessment is open, or its assessment, which is told whole, has a younger one.
 */
export const STAYS = `(
  i.at >= @cutoff
  OR EXISTS (SELECT 1 FROM events WHERE invite_id = i.id AND received_at >= @cutoff)
  OR EXISTS (SELECT 1 FROM events e JOIN questions q ON q.seq = e.seq WHERE e.invite_id = i.id)
  OR EXISTS (
    SELECT 1 FROM connections c CROSS JOIN pushes p
    ON p.connection_id = c.id AND p.subject = ${SUBJECT_OF_KIND}
    WHERE c.org = i.org AND p.state IN ('pending', 'held'))
  OR (i.assessment IS NOT NULL AND EXISTS (
    SELECT 1 FROM invites o WHERE o.org = i.org AND o.assessment = i.assessment AND o.at >= @cutoff)))`;

/** An invite of another subject that is one record of the vendor's with this one. */
export function membersOf(condition: string): string {
  return `
    SELECT 1 FROM connections c CROSS JOIN pushes p ON p.connection_id = c.id
    CROSS JOIN pushes m ON m.connection_id = p.connection_id AND m.record = p.record
    CROSS JOIN invites i ON i.org = c.org AND i.contact = m.subject
    WHERE ${condition} AND p.record IS NOT NULL LIMIT 1`;
}
