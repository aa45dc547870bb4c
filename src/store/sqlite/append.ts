import type { NewEvent, Snapshot } from "../../core/event.ts";
import { emailKey } from "../../core/event.ts";
import { fold } from "../../core/fold.ts";
import type { Invite } from "../../core/invite.ts";
import type { HeldCause, SubjectKind } from "../../core/push.ts";
import { contactHeads, raisesPush, subjectOf } from "../../core/subject.ts";
import type { AppendResult } from "../contract.ts";
import { createInvitesOf } from "./claims.ts";
import type { Db } from "./file.ts";
import { inviteOf } from "./rows.ts";
import { nextVersions } from "./versions.ts";

/**
 * The intake: event, invite and pushes of each event in one savepoint, all of them in one transaction.
 * An event that fails is rolled back alone.
 */
export function createAppend(db: Db): (events: readonly NewEvent[]) => AppendResult[] {
  const begin = db.prepare("SAVEPOINT one");
  const keep = db.prepare("RELEASE one");
  const undo = db.prepare("ROLLBACK TO one");
  const count = db.prepare("UPDATE counters SET value = value + ? WHERE name = ?");
  const versions = nextVersions(db);
  const appendOne = createAppendOne(db, versions.next);

  return db.transaction((events: readonly NewEvent[]) => {
    versions.begin();
    const totals = { events: 0, ignored: 0, conflicts: 0, invites: 0 };
    const results = events.map((event): AppendResult => {
      begin.run();
      try {
        const done = appendOne(event);
        keep.run();
        if (done.outcome === "stored") totals.events += 1;
        if (done.outcome === "stored" && event.snapshot === null) totals.ignored += 1;
        if (done.conflict) totals.conflicts += 1;
        if (done.newInvite) totals.invites += 1;
        return { outcome: done.outcome, conflict: done.conflict };
      } catch (error) {
        // A full disk ends the whole transaction: nobody may be told that their event is stored.
        if (!db.inTransaction) throw error;
        undo.run();
        keep.run();
        if (isTroubleOfTheStore(error)) throw error;
        return { outcome: "failed", conflict: false };
      }
    });
    for (const [name, n] of Object.entries(totals)) if (n > 0) count.run(n, name);
    versions.commit();
    return results;
  }).immediate;
}

function isTroubleOfTheStore(error: unknown): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    /^SQLITE_(FULL|IOERR|READONLY|CORRUPT|BUSY|NOMEM)/.test(String(error.code))
  );
}

interface DestinationRow {
  id: number;
  subject_kind: SubjectKind;
  hold_cause: HeldCause | null;
}

function createAppendOne(db: Db, nextVersion: () => number) {
  const bodiesOf = db
    .prepare<[string, string], Buffer>("SELECT body_hash FROM events WHERE event_id = ? AND source = ?")
    .pluck();
  const insertEvent = db.prepare(`
    INSERT INTO events (source, event_id, body_hash, type, at, received_at, conflict, invite_id, payload)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const foldInvite = createFoldInvite(db, nextVersion);

  return (event: NewEvent): { outcome: "stored" | "known"; conflict: boolean; newInvite: boolean } => {
    const hash = Buffer.from(event.bodyHash, "hex");
    const bodies = bodiesOf.all(event.eventId, event.source);
    if (bodies.some((body) => body.equals(hash)))
      return { outcome: "known", conflict: bodies.length > 1, newInvite: false };
    const folded = event.snapshot && foldInvite(event.snapshot, event);
    const conflict = bodies.length > 0;
    insertEvent.run(
      event.source,
      event.eventId,
      hash,
      event.type,
      event.at,
      event.receivedAt,
      Number(conflict),
      folded?.id ?? null,
      event.payload,
    );
    return { outcome: "stored", conflict, newInvite: folded?.isNew ?? false };
  };
}

function createFoldInvite(db: Db, nextVersion: () => number) {
  const find = db.prepare<[string, string], { id: number; state: string }>(
    "SELECT id, state FROM invites WHERE org = ? AND invitation_id = ?",
  );
  const insert = db.prepare(`
    INSERT INTO invites (org, invitation_id, contact, assessment, status, at, state_version, state)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
  const change = db.prepare(`
    UPDATE invites SET contact = ?, assessment = ?, status = ?, at = ?, state_version = ?, state = ? WHERE id = ?`);
  const keepState = db.prepare("UPDATE invites SET state = ? WHERE id = ?");
  const invitesOf = createInvitesOf(db);
  const raise = createRaiseForOrg(db);

  /** An older snapshot can make another invite the one that speaks for the contact. */
  const changesHeads = (before: Invite, after: Invite): boolean => {
    const others = invitesOf(after.org, "contact", emailKey(after.candidate.email)).invites.filter(
      (other) => other.invitationId !== after.invitationId,
    );
    const [was, is] = [contactHeads([...others, before]), contactHeads([...others, after])];
    const differs = (head: keyof typeof was) => was[head]?.invitationId !== is[head]?.invitationId;
    return differs("latest") || differs("latestCompleted");
  };

  return (snapshot: Snapshot, event: NewEvent): { id: number; isNew: boolean } => {
    const row = find.get(snapshot.org, snapshot.invitationId);
    const before = row ? inviteOf(row.state) : null;
    const { invite, newest, earliestMoved } = fold(before, snapshot, event.bodyHash);
    const state = JSON.stringify(invite);
    if (newest) {
      const version = nextVersion();
      const columns = [
        emailKey(invite.candidate.email),
        subjectOf("assessment", invite),
        invite.status,
        invite.at,
        version,
        state,
      ];
      const id = row?.id ?? Number(insert.run(invite.org, invite.invitationId, ...columns).lastInsertRowid);
      if (row) change.run(...columns, row.id);
      raise(invite, version, event.receivedAt);
      return { id, isNew: !row };
    }
    const id = row?.id ?? 0;
    if (state !== row?.state) keepState.run(state, id);
    if (earliestMoved && before && changesHeads(before, invite))
      raise(invite, nextVersion(), event.receivedAt);
    return { id, isNew: false };
  };
}

/** Raises what the org's production connections owe about this invite. */
function createRaiseForOrg(db: Db) {
  const destinations = db.prepare<[string], DestinationRow>(
    "SELECT id, subject_kind, hold_cause FROM connections WHERE org = ? AND environment = 'production' AND account_id IS NOT NULL",
  );
  const pushedBefore = db
    .prepare<[number, string], number>(
      "SELECT 1 FROM pushes WHERE connection_id = ? AND subject = ? AND delivered_version > 0",
    )
    .pluck();
  const raise = createRaise(db);

  return (invite: Invite, version: number, now: number) => {
    for (const destination of destinations.all(invite.org)) {
      const subject = subjectOf(destination.subject_kind, invite);
      if (subject === null) continue;
      const isPushedBefore = () => pushedBefore.get(destination.id, subject) !== undefined;
      if (!raisesPush(destination.subject_kind, invite, { pushedBefore: isPushedBefore() })) continue;
      raise({ connectionId: destination.id, subject, version, now, holdCause: destination.hold_cause });
    }
  };
}

/**
 * Gives a push its new version. One that waits keeps its turn and the moment since which it waits; one in
 * flight remembers when it moved; a held one stays held.
 */
export function createRaise(db: Db) {
  const upsert = db.prepare(`
    INSERT INTO pushes (connection_id, subject, state, held_cause, version, pending_since, due_at)
    VALUES (@connectionId, @subject, iif(@holdCause IS NULL, 'pending', 'held'), @holdCause, @version, @now, @now)
    ON CONFLICT (connection_id, subject) DO UPDATE SET
      version = excluded.version,
      moved_at = iif(lease IS NULL, NULL, coalesce(moved_at, excluded.pending_since)),
      due_at = iif(state = 'pending', due_at, excluded.due_at),
      tries = iif(state = 'pending', tries, 0),
      alone = 0,
      pending_since = iif(state IN ('pending', 'held'), coalesce(pending_since, excluded.pending_since), excluded.pending_since),
      held_cause = iif(state = 'held', held_cause, excluded.held_cause),
      state = iif(state = 'held', 'held', excluded.state)`);
  return (push: {
    connectionId: number;
    subject: string;
    version: number;
    now: number;
    holdCause: HeldCause | null;
  }) => {
    upsert.run(push);
  };
}
