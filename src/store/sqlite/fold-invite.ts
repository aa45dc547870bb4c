import type { NewEvent, Snapshot } from "../../core/event.ts";
import { emailKey } from "../../core/event.ts";
import { fold } from "../../core/fold.ts";
import type { Invite } from "../../core/invite.ts";
import { contactHeads, raisesPush, subjectOf } from "../../core/subject.ts";
import type { Db } from "./file.ts";
import { createInvitesOf } from "./invites-of.ts";
import { createRaiseInvite, type DestinationRow } from "./raise.ts";
import { inviteOf } from "./rows.ts";
import type { NextVersion } from "./versions.ts";

/** What the events of one transaction share. */
export interface Round {
  nextVersion: NextVersion;
  destinationsOf(org: string): readonly DestinationRow[];
}

/** Folds an event's snapshot into its invite's row and raises the pushes that follow from it. Returns the row's id. */
export function createFoldInvite(db: Db) {
  const find = db.prepare<[string, string], { id: number; state: string }>(
    "SELECT id, state FROM invites WHERE org = ? AND invitation_id = ?",
  );
  const insert = db.prepare(`
    INSERT INTO invites (contact, assessment, status, at, owed, state_version, state, org, invitation_id)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const change = db.prepare(`
    UPDATE invites SET contact = ?, assessment = ?, status = ?, at = ?, owed = ?, state_version = ?, state = ? WHERE id = ?`);
  const keepState = db.prepare("UPDATE invites SET state = ? WHERE id = ?");
  const raise = createRaiseInvite(db);
  const changesHeads = createChangesHeads(db);

  return (snapshot: Snapshot, event: NewEvent, { nextVersion, destinationsOf }: Round): number => {
    const { org, invitationId } = snapshot;
    const row = find.get(org, invitationId);
    const before = row ? inviteOf(row.state) : null;
    const { invite, newest, earliestMoved } = fold(before, snapshot, event.bodyHash);
    const state = JSON.stringify(invite);

    if (row && before && !newest) {
      if (state !== row.state) keepState.run(state, row.id);
      if (earliestMoved && changesHeads(before, invite)) {
        const raised = { version: nextVersion(), now: event.receivedAt };
        const contacts = destinationsOf(org).filter((destination) => destination.subject_kind === "contact");
        for (const destination of contacts) raise(destination, invite, raised);
      }
      return row.id;
    }
    const version = nextVersion();
    const contact = emailKey(invite.candidate.email);
    const assessment = subjectOf("assessment", invite);
    const owed = Number(raisesPush("contact", invite, { pushedBefore: false }));
    const columns = [contact, assessment, invite.status, invite.at, owed, version, state];
    if (row) change.run(...columns, row.id);
    const id = row?.id ?? Number(insert.run(...columns, org, invitationId).lastInsertRowid);
    const raised = { version, now: event.receivedAt };
    for (const destination of destinationsOf(org)) raise(destination, invite, raised);
    return id;
  };
}

/** An older snapshot can make another invite the one that speaks for the contact. */
function createChangesHeads(db: Db) {
  const invitesOf = createInvitesOf(db);
  return (before: Invite, after: Invite): boolean => {
    const others = invitesOf(after.org, "contact", emailKey(after.candidate.email)).invites.filter(
      (other) => other.invitationId !== after.invitationId,
    );
    const [was, is] = [contactHeads([...others, before]), contactHeads([...others, after])];
    const differs = (head: keyof typeof was) => was[head]?.invitationId !== is[head]?.invitationId;
    return differs("latest") || differs("latestCompleted");
  };
}
