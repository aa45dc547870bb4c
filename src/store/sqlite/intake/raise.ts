import type { Environment } from "../../../core/connection.ts";
import type { Invite } from "../../../core/invite.ts";
import type { HeldCause, SubjectKind } from "../../../core/push.ts";
import { concerns, raisesPush, subjectOf } from "../../../core/subject.ts";
import type { Db } from "../file/db.ts";
import type { NextVersion } from "../file/versions.ts";

export interface Raise {
  connectionId: number;
  subject: string;
  version: number;
  now: number;
  /** What holds the connection; null when nothing does. */
  holdCause: HeldCause | null;
  /** One that waits for a later time is due now. */
  urgent: boolean;
  /** The operator's run that asked for it; null for what events ask. */
  runId: number | null;
}

/**
 * Gives a push its new version. One that waits keeps the moment since which it waits and, unless it is urgent,
 * its turn; one in flight remembers when it moved; a held one stays held.
 */
export function createRaise(db: Db): (push: Raise) => void {
  const upsert = db.prepare(`
    INSERT INTO pushes (connection_id, subject, state, held_cause, version, pending_since, due_at, run_id)
    VALUES (@connectionId, @subject, iif(@holdCause IS NULL, 'pending', 'held'), @holdCause, @version, @now, @now, @runId)
    ON CONFLICT (connection_id, subject) DO UPDATE SET
      version = excluded.version,
      moved_at = iif(lease IS NULL, NULL, coalesce(moved_at, excluded.pending_since)),
      due_at = CASE WHEN state <> 'pending' THEN excluded.due_at
        WHEN @urgent THEN min(due_at, excluded.due_at) ELSE due_at END,
      tries = iif(state = 'pending', tries, 0),
      alone = 0,
      run_id = coalesce(excluded.run_id, run_id),
      pending_since = iif(state IN ('pending', 'held'), coalesce(pending_since, excluded.pending_since), excluded.pending_since),
      held_cause = iif(state = 'held', held_cause, excluded.held_cause),
      state = iif(state = 'held', 'held', excluded.state)`);
  return (push) => {
    upsert.run({ ...push, urgent: Number(push.urgent) });
  };
}

/** A connection as those see it who raise pushes for it. */
export interface DestinationRow {
  id: number;
  vendor: string;
  subject_kind: SubjectKind;
  hold_cause: HeldCause | null;
}

/** The connections of an org that events are told to: those that were ever connected. */
export function createDestinationsOf(db: Db): Round["destinationsOf"] {
  const destinations = db.prepare<[string, Environment], DestinationRow>(
    "SELECT id, vendor, subject_kind, hold_cause FROM connections WHERE org = ? AND environment = ? AND account_id IS NOT NULL",
  );
  return (org, environment) => destinations.all(org, environment);
}

/** Raises what one destination must be told about an invite at once. */
export function createRaiseInvite(db: Db) {
  // What is in flight may be delivered without this news, and would then have to be told. Of another address of the same
  // contact it was told as well.
  const pushedBefore = db
    .prepare<[number, string], number>(`
      SELECT 1 FROM pushes p WHERE connection_id = ? AND subject = ? AND (delivered_version > 0 OR lease IS NOT NULL
        OR EXISTS (SELECT 1 FROM pushes q WHERE q.connection_id = p.connection_id AND q.record = p.record AND (q.delivered_version > 0 OR q.lease IS NOT NULL)))`)
    .pluck();
  const raise = createRaise(db);
  return (
    destination: DestinationRow,
    invite: Invite,
    { version, now }: { version: number; now: number },
  ) => {
    const { id, vendor, subject_kind: kind, hold_cause: holdCause } = destination;
    const subject = subjectOf(kind, invite);
    if (subject === null || !concerns(kind, invite, vendor)) return;
    const must =
      raisesPush(kind, invite, { pushedBefore: false }) ||
      (raisesPush(kind, invite, { pushedBefore: true }) && pushedBefore.get(id, subject) !== undefined);
    if (must) raise({ connectionId: id, subject, version, now, holdCause, urgent: false, runId: null });
  };
}

/** What the events of one transaction share. */
export interface Round {
  nextVersion: NextVersion;
  destinationsOf(org: string, environment: Environment): readonly DestinationRow[];
  /** Does any vendor's word wait for its invite? */
  hasUnmatched(): boolean;
  /** Was any invite removed for its age? */
  hasTombstones(): boolean;
  /** Was anybody erased? */
  hasErasures(): boolean;
}
