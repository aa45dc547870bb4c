/**
 * What a contact's invites had told before they were removed for their age. A destination was told it, so an invite that
 * stays says nothing about what a newer one had said. Pure.
 */
import type { InviteStatus } from "./event.ts";
import type { Invite } from "./invite.ts";
import { isScored } from "./scores.ts";
import { madeAt } from "./subject.ts";

export interface Forgotten {
  /** Of each kind that may speak for the contact, the newest that was more than invited. */
  heads: readonly ForgottenHead[];
  /** By slug: when their newest result of that test was made, ms. */
  tests: Readonly<Record<string, number>>;
}

/** As much as tells which invite speaks for the contact. */
export interface ForgottenHead {
  status: InviteStatus;
  madeAt: number;
  hasCompletedTest: boolean;
  /** As in the invite. */
  toldBy: string | null;
  vendor: string | null;
}

/** With one more that goes; null where neither it nor those before said anything. */
export function forgottenWith(before: Forgotten | null, invite: Invite): Forgotten | null {
  const scored = invite.tests.filter(isScored);
  const isBegun = invite.status !== "invited";
  if (!isBegun && scored.length === 0) return before;
  const own: Forgotten = {
    heads: isBegun ? [headOf(invite)] : [],
    tests: newestOf(scored.map(({ slug, completedAt }) => [slug, completedAt ?? invite.at])),
  };
  return forgottenTogether(before, own);
}

export function forgottenTogether(a: Forgotten | null, b: Forgotten | null): Forgotten | null {
  if (!a || !b) return a ?? b;
  const heads = new Map<string, ForgottenHead>();
  for (const head of [...a.heads, ...b.heads]) {
    const { madeAt: _, ...kind } = { ...head, status: head.status === "completed" };
    const key = JSON.stringify(kind);
    if ((heads.get(key)?.madeAt ?? Number.NEGATIVE_INFINITY) < head.madeAt) heads.set(key, head);
  }
  return {
    heads: [...heads.values()],
    tests: newestOf([...Object.entries(a.tests), ...Object.entries(b.tests)]),
  };
}

function headOf(invite: Invite): ForgottenHead {
  return {
    status: invite.status,
    madeAt: madeAt(invite),
    hasCompletedTest: invite.tests.some(({ status }) => status === "completed"),
    toldBy: invite.toldBy ?? null,
    vendor: invite.origin?.vendor ?? null,
  };
}

function newestOf(times: readonly (readonly [string, number])[]): Record<string, number> {
  const newest: Record<string, number> = {};
  for (const [slug, at] of times) newest[slug] = Math.max(at, newest[slug] ?? at);
  return newest;
}
