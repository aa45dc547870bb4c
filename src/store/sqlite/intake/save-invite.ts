import { emailKey } from "../../../core/event.ts";
import type { Invite } from "../../../core/invite.ts";
import { raisesPush, subjectOf } from "../../../core/subject.ts";
import type { Db } from "../file/db.ts";
import { NO_CONTACT } from "../../rows/rows.ts";
import { createRaiseInvite, type Round } from "./raise.ts";

/** Writes an invite's new state and raises the pushes that follow from it. `id` is null for a new one. Returns its id. */
export function createSaveInvite(db: Db) {
  const insert = db.prepare(`
    INSERT INTO invites (contact, assessment, status, at, owed, state_version, state, org, invitation_id)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const change = db.prepare(`
    UPDATE invites SET contact = ?, assessment = ?, status = ?, at = ?, owed = ?, state_version = ?, state = ? WHERE id = ?`);
  const trialOf = db.prepare<[string, string, string], number>(
    "SELECT 1 FROM trials WHERE org = ? AND vendor = ? AND candidate_id = ?",
  );
  // JobCannon has invited: it was asked, or a person saw to it.
  const endRequest = db.prepare(`
    UPDATE invite_requests SET state = 'sent', reason = NULL, ended_at = ? WHERE assessment_id = ? AND ended_at IS NULL`);
  const raise = createRaiseInvite(db);

  return (id: number | null, invite: Invite, { now, round }: { now: number; round: Round }): number => {
    const { org, invitationId, origin } = invite;
    const version = round.nextVersion();
    const isTrial = origin !== null && trialOf.get(org, origin.vendor, origin.candidateId) !== undefined;
    const contact = isTrial ? NO_CONTACT : emailKey(invite.candidate.email);
    const owed = Number(!isTrial && raisesPush("contact", invite, { pushedBefore: false }));
    const assessment = subjectOf("assessment", invite);
    const columns = [contact, assessment, invite.status, invite.at, owed, version, JSON.stringify(invite)];
    if (id !== null) change.run(...columns, id);
    if (id === null && assessment !== null) endRequest.run(now, assessment);
    const saved = id ?? Number(insert.run(...columns, org, invitationId).lastInsertRowid);
    const destinations = isTrial
      ? round.destinationsOf(org, "sandbox").filter(({ vendor }) => vendor === origin.vendor)
      : round.destinationsOf(org, "production");
    for (const destination of destinations) raise(destination, invite, { version, now });
    return saved;
  };
}
