/** What a vendor's word on one assessment adds to its invite. Pure. */
import type { Confirmation, Test } from "./event.ts";
import type { Invite } from "./invite.ts";
import { completionOf, statusOf } from "./progress.ts";

export type Confirmed =
  /** It tells of no completion: whatever it carries completes nothing. */
  | { kind: "noted" }
  /** It says nothing that we do not know. */
  | { kind: "confirmed" }
  /** It carries a result that we may lack; of which test, only the vendor can tell. */
  | { kind: "ask" }
  /** Now the invite has that result. */
  | { kind: "learned"; invite: Invite };

/** `test`: the slug of the assessment's test; undefined before anybody asked, null when the vendor does not know it. */
export function applyConfirmation(
  invite: Invite,
  { status, result, at }: Pick<Confirmation, "status" | "result" | "at">,
  test: string | null | undefined,
): Confirmed {
  if (!tellsCompletion(status)) return { kind: "noted" };
  if (result === null || test === null || invite.tests.every(isOwn)) return { kind: "confirmed" };
  if (test === undefined) return { kind: "ask" };
  const isMeant = (each: Test) => each.slug === test && !isOwn(each) && (each.reportedAt ?? 0) < at;
  if (!invite.tests.some(isMeant)) return { kind: "confirmed" };
  const tests = invite.tests.map(
    (each): Test =>
      isMeant(each)
        ? { slug: each.slug, status: "completed", completedAt: at, result, reportedAt: at }
        : each,
  );
  return { kind: "learned", invite: withTests(invite, tests) };
}

/**
 * The event's name says completed also of what expired, was rejected or has only begun; its status is the vendor's word.
 * Vendors differ in how they write it: COMPLETED, completed.
 */
export function tellsCompletion(status: string): boolean {
  return status.trim().toLowerCase() === "completed";
}

/** What a vendor told stays until a snapshot carries that test's own result. */
export function keepReported(invite: Invite, before: readonly Test[]): Invite {
  const reported = before.filter((test) => test.reportedAt !== undefined);
  if (reported.length === 0) return invite;
  const tests = invite.tests.map((test) =>
    isOwn(test) ? test : (reported.find(({ slug }) => slug === test.slug) ?? test),
  );
  return withTests(invite, tests);
}

/** JobCannon's own word, which counts before a vendor's. */
function isOwn(test: Test): boolean {
  return test.status === "completed" && test.result !== null && test.reportedAt === undefined;
}

function withTests(invite: Invite, tests: Test[]): Invite {
  const status = statusOf({ status: invite.declaredStatus, tests });
  const completedAt = status === "completed" ? completionOf({ ...invite, tests }) : null;
  return { ...invite, tests, status, completedAt };
}
