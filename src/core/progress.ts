/** How far an invite has come, as its tests prove it. Pure. */
import type { InviteStatus, Snapshot } from "./event.ts";

/** The status that the tests prove, or the declared one where there are none; a declared end holds unless every test is completed. */
export function statusOf(snapshot: Pick<Snapshot, "status" | "tests">): InviteStatus {
  const { status, tests } = snapshot;
  if (tests.length === 0) return status;
  if (tests.every(({ status: each }) => each === "completed")) return "completed";
  if (status === "expired" || status === "cancelled") return status;
  return tests.some((test) => test.status !== "assigned") ? "in_progress" : "invited";
}

/** When a completed one was completed, ms. */
export function completionOf({
  completedAt,
  tests,
  at,
}: Pick<Snapshot, "completedAt" | "tests" | "at">): number {
  if (completedAt !== null) return completedAt;
  const testTimes = tests.map((test) => test.completedAt).filter((time) => time !== null);
  return testTimes.length > 0 ? Math.max(...testTimes) : at;
}
