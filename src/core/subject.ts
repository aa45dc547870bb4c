/** Which subject an invite concerns, when it is pushed, and which invites speak for a contact. Pure. */
import { emailKey } from "./event.ts";
import type { Invite } from "./invite.ts";
import type { SubjectKind } from "./push.ts";

type Named = Pick<Invite, "candidate" | "origin" | "invitationId">;

/** Before the invitation's id, where no assessment asked for the result. */
export const UNASKED = "invitation:";

/** What identifies the invite's subject at a destination; null when no destination of the kind is concerned. */
export function subjectOf(kind: SubjectKind, { candidate, origin, invitationId }: Named): string | null {
  if (kind === "contact") return emailKey(candidate.email);
  const assessment = origin?.assessmentId ?? null;
  return kind === "assessment" ? assessment : (assessment ?? UNASKED + invitationId);
}

/** Another system's assessments are no matter of this vendor's. */
export function concerns(kind: SubjectKind, { origin }: Pick<Invite, "origin">, vendor: string): boolean {
  if (kind === "contact") return true;
  return origin === null ? kind === "result" : origin.vendor === vendor;
}

/**
 * Must the invite's new state be told at once? What waits is not lost: the sweep tells `in_progress`.
 * `pushedBefore`: the destination was told something about this subject.
 */
export function raisesPush(
  kind: SubjectKind,
  invite: Pick<Invite, "status" | "tests">,
  { pushedBefore }: { pushedBefore: boolean },
): boolean {
  if (invite.status === "completed") return true;
  if (kind !== "contact") return false;
  if (invite.status === "expired" || invite.status === "cancelled")
    return pushedBefore || invite.tests.some((test) => test.status === "completed");
  return false;
}

type Dated = Pick<Invite, "invitationId" | "status" | "sentAt" | "earliestAt">;
type Sourced = Pick<Invite, "tests" | "origin" | "toldBy">;

/**
 * The invites that give a contact its status, id and result URL (`latest`: the newest beyond `invited`) and its
 * completion time (`latestCompleted`). An invite's earliest timestamp changes a projection only through them. For
 * `latest`, an invite without a completed test is passed over where one of another source has one: a system that only
 * tells of stages hides no result.
 */
export function contactHeads<Head extends Dated & Sourced>(
  invites: readonly Head[],
): { latest: Head | null; latestCompleted: Head | null } {
  const begun = invites.filter((invite) => invite.status !== "invited");
  return {
    latest: newest(begun.length > 1 ? begun.filter((invite) => !isPassedOver(invite, begun)) : begun),
    latestCompleted: newest(invites.filter((invite) => invite.status === "completed")),
  };
}

function isPassedOver(invite: Sourced, others: readonly Sourced[]): boolean {
  if (hasCompletedTest(invite)) return false;
  return others.some((other) => hasCompletedTest(other) && !isOfSameSource(other, invite));
}

function hasCompletedTest({ tests }: Sourced): boolean {
  return tests.some((test) => test.status === "completed");
}

/** Who told it, and which system it was told for: JobCannon's own invites and those for an ATS are of two sources. */
function isOfSameSource(a: Sourced, b: Sourced): boolean {
  return a.toldBy === b.toldBy && a.origin?.vendor === b.origin?.vendor;
}

function newest<Head extends Dated>(invites: readonly Head[]): Head | null {
  return invites.reduce<Head | null>(
    (best, invite) => (best && !isNewer(invite, best) ? best : invite),
    null,
  );
}

/** When an invite was made, as far as that is known: by it the newest speaks for the contact. */
export function madeAt({ sentAt, earliestAt }: Pick<Invite, "sentAt" | "earliestAt">): number {
  return sentAt ?? earliestAt;
}

function isNewer(a: Dated, b: Dated): boolean {
  const [timeA, timeB] = [madeAt(a), madeAt(b)];
  return timeA === timeB ? a.invitationId > b.invitationId : timeA > timeB;
}
