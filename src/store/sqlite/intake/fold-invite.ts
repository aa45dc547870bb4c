import { asToldBy, emailKey, type NewEvent, type Snapshot } from "../../../core/event.ts";
import { fold, isNewerThan } from "../../../core/fold.ts";
import type { Invite } from "../../../core/invite.ts";
import { contactHeads } from "../../../core/subject.ts";
import type { Db } from "../file/db.ts";
import { createInvitesOf, type Holder } from "../rows/invites-of.ts";
import { inviteOf } from "../../rows/rows.ts";
import { createTombstones } from "../rows/tombstones.ts";
import { createRaiseInvite, type Round } from "./raise.ts";
import { createSaveInvite } from "./save-invite.ts";

/**
 * Folds an event's snapshot into its invite's row. Returns the row's id; null where the invite was removed for its age and
 * the snapshot is no newer than its last one.
 */
export function createFoldInvite(db: Db) {
  const find = db.prepare<[string, string], { id: number; state: string }>(
    "SELECT id, state FROM invites WHERE org = ? AND invitation_id = ?",
  );
  const keepState = db.prepare("UPDATE invites SET state = ? WHERE id = ?");
  const save = createSaveInvite(db);
  const raise = createRaiseInvite(db);
  const changesHeads = createChangesHeads(db);
  const tombstones = createTombstones(db);

  return (
    snapshot: Snapshot,
    { source, bodyHash, receivedAt: now }: Pick<NewEvent, "source" | "bodyHash" | "receivedAt">,
    round: Round,
  ): number | null => {
    const { org, invitationId } = snapshot;
    const row = find.get(org, invitationId);
    const gone = row === undefined && round.hasTombstones() ? tombstones.find(org, invitationId) : null;
    if (gone && !isNewerThan(gone.age, snapshot, bodyHash)) return null;
    const before = row ? inviteOf(row.state) : null;
    const { invite, newest, earliestMoved } = fold(before, asToldBy(source, snapshot), bodyHash);
    if (gone) invite.earliestAt = Math.min(invite.earliestAt, gone.earliestAt);
    if (!row || !before || newest) return save(row?.id ?? null, invite, { now, round });

    const state = JSON.stringify(invite);
    if (state !== row.state) keepState.run(state, row.id);
    if (earliestMoved)
      for (const destination of round.destinationsOf(org, "production")) {
        if (destination.subject_kind !== "contact") continue;
        if (!changesHeads({ ...destination, org }, before, invite)) continue;
        raise(destination, invite, { version: round.nextVersion(), now });
      }
    return row.id;
  };
}

/** An older snapshot can make another invite the one that speaks for the contact. */
function createChangesHeads(db: Db) {
  const invitesOf = createInvitesOf(db);
  return (holder: Holder, before: Invite, after: Invite): boolean => {
    const all = invitesOf(holder, emailKey(after.candidate.email)).invites;
    const others = all.filter((other) => other.invitationId !== after.invitationId);
    // One that is not among them belongs to a trial, and speaks for nobody.
    if (others.length === all.length) return false;
    const [was, is] = [contactHeads([...others, before]), contactHeads([...others, after])];
    const differs = (head: keyof typeof was) => was[head]?.invitationId !== is[head]?.invitationId;
    return differs("latest") || differs("latestCompleted");
  };
}
