/** How the snapshots of one invite, in whatever order they come, become one and the same invite. Pure. */
import { emailKey, type InviteStatus, type Snapshot, type Test } from "./event.ts";
import { keepReported } from "./confirmation.ts";
import type { Invite } from "./invite.ts";
import { completionOf, statusOf } from "./progress.ts";

export interface Fold {
  invite: Invite;
  /** The snapshot is now the invite's state; false for an older or repeated one. */
  newest: boolean;
  /** An older snapshot moved `earliestAt` back; false for the first one. */
  earliestMoved: boolean;
}

/** At one timestamp the state that is further along wins. */
const STATUS_RANK: Record<InviteStatus, number> = {
  invited: 0,
  in_progress: 1,
  completed: 2,
  expired: 3,
  cancelled: 4,
};

/** Names no address: warnings reach terminals and logs. */
export const EMAIL_CHANGED =
  "the candidate's e-mail address changed between events; the contact of the other address is left as it is";

/** `current` is null for the first snapshot; `bodyHash` is the SHA-256 of the snapshot's body, hex. */
export function fold(current: Invite | null, snapshot: Snapshot, bodyHash: string): Fold {
  const told = inviteOf(snapshot, bodyHash);
  if (!current) return { invite: told, newest: true, earliestMoved: false };

  const newest = compareAge(ageOf(told), ageOf(current)) > 0;
  const invite = newest ? keepAssigned(keepReported(told, current.tests), current) : current;
  const earliestAt = Math.min(current.earliestAt, snapshot.at);
  const emailChanged =
    current.warnings.includes(EMAIL_CHANGED) ||
    emailKey(current.candidate.email) !== emailKey(snapshot.candidate.email);
  return {
    invite: { ...invite, earliestAt, warnings: withEmailWarning(invite.warnings, emailChanged) },
    newest,
    earliestMoved: earliestAt < current.earliestAt,
  };
}

/** What an operator said stays, whatever its source tells. */
function keepAssigned(invite: Invite, { assigned }: Invite): Invite {
  return assigned === undefined ? invite : { ...invite, assigned };
}

function inviteOf(snapshot: Snapshot, bodyHash: string): Invite {
  const status = statusOf(snapshot);
  const contradiction = `declared ${snapshot.status}, but its tests make it ${status}`;
  return {
    ...snapshot,
    status,
    declaredStatus: snapshot.status,
    completedAt: status === "completed" ? completionOf(snapshot) : null,
    earliestAt: snapshot.at,
    bodyHash,
    warnings: status === snapshot.status ? snapshot.warnings : [...snapshot.warnings, contradiction],
  };
}

/** What orders the snapshots of one invite. */
export interface SnapshotAge {
  at: number;
  completed: number;
  rank: number;
  bodyHash: string;
}

export function ageOf(invite: Invite): SnapshotAge {
  const { at, tests, bodyHash } = invite;
  return { at, completed: completedTests(tests), rank: STATUS_RANK[toldStatus(invite)], bodyHash };
}

/** Is the snapshot newer than the last one of an invite of which only that is known, its hash by its beginning alone? */
export function isNewerThan(last: SnapshotAge, snapshot: Snapshot, bodyHash: string): boolean {
  return isNewer(ageOf(inviteOf(snapshot, bodyHash)), last);
}

export function isNewer(age: SnapshotAge, last: SnapshotAge): boolean {
  return compareAge({ ...age, bodyHash: age.bodyHash.slice(0, last.bodyHash.length) }, last) > 0;
}

/** Total order of snapshots: positive when `a` is newer, 0 only for the same body. */
function compareAge(a: SnapshotAge, b: SnapshotAge): number {
  if (a.bodyHash === b.bodyHash) return 0;
  return a.at - b.at || a.completed - b.completed || a.rank - b.rank || compareText(a.bodyHash, b.bodyHash);
}

/** As snapshots told it: what a vendor told since makes none of them newer. */
function completedTests(tests: readonly Test[]): number {
  return tests.filter((test) => test.status === "completed" && test.reportedAt === undefined).length;
}

/** The status without what a vendor told since. */
function toldStatus({ declaredStatus, tests }: Invite): InviteStatus {
  const own = tests.map(
    (test): Test => (test.reportedAt === undefined ? test : { ...test, status: "started" }),
  );
  return statusOf({ status: declaredStatus, tests: own });
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Always last, so that the order in which snapshots came leaves no trace. */
function withEmailWarning(warnings: readonly string[], emailChanged: boolean): string[] {
  const others = warnings.filter((warning) => warning !== EMAIL_CHANGED);
  return emailChanged ? [...others, EMAIL_CHANGED] : others;
}
