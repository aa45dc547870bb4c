import { forgottenWith } from "../../../core/forgotten.ts";
import type { Db } from "../file/db.ts";
import { forgottenOf, inviteOf, NO_CONTACT } from "../../rows/rows.ts";
import { membersOf } from "./stays.ts";
import { createTombstones } from "../rows/tombstones.ts";

/** Of contacts that are one record of the vendor's with this one: that has invites. */
const LIVING_MEMBER = membersOf("c.org = ? AND p.subject = ?");

/** Events of one invite that go in one step; mostly it has three. */
const EVENTS = 500;

/**
 * Removes an invite with its events and what vendors said of it, and leaves its tombstone. Where it has more events than
 * fit into a step, some of them go and the invite stays for the next one. Part of a write transaction.
 */
export function createRemoveInvite(db: Db) {
  const someEvents = `SELECT seq FROM events WHERE invite_id = ? ORDER BY seq LIMIT ${EVENTS}`;
  const removeConfirmations = db.prepare(`DELETE FROM confirmations WHERE seq IN (${someEvents})`);
  // Only in a backup: of what is asked still, nothing is removed.
  const removeQuestions = db.prepare(`DELETE FROM questions WHERE seq IN (${someEvents})`);
  const removeEvents = db.prepare(`DELETE FROM events WHERE seq IN (${someEvents})`);
  const removeInvite = db.prepare("DELETE FROM invites WHERE id = ?");
  const ofContact = db.prepare<[string, string]>(
    "SELECT 1 FROM invites WHERE org = ? AND contact = ? LIMIT 1",
  );
  const ofRecord = db.prepare<[string, string]>(LIVING_MEMBER);
  const facts = db
    .prepare<[string, string], string>("SELECT facts FROM forgotten WHERE org = ? AND contact = ?")
    .pluck();
  const forget = db.prepare(
    "INSERT INTO forgotten VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET facts = excluded.facts",
  );
  const forgetNothing = db.prepare("DELETE FROM forgotten WHERE org = ? AND contact = ?");
  const tombstones = createTombstones(db);

  return ({ id, contact, state }: RemovedInvite): { events: number; isGone: boolean } => {
    removeConfirmations.run(id);
    removeQuestions.run(id);
    const events = removeEvents.run(id).changes;
    if (events === EVENTS) return { events, isGone: false };
    const invite = inviteOf(state);
    tombstones.keep(invite);
    removeInvite.run(id);
    if (contact === NO_CONTACT) return { events, isGone: true };
    const { org } = invite;
    const known = facts.get(org, contact) ?? null;
    const isLast = !ofContact.get(org, contact) && !ofRecord.get(org, contact);
    const told = isLast ? null : forgottenWith(forgottenOf(known), invite);
    if (told) forget.run(org, contact, JSON.stringify(told));
    else if (known !== null) forgetNothing.run(org, contact);
    return { events, isGone: true };
  };
}

export interface RemovedInvite {
  id: number;
  contact: string;
  state: string;
}
