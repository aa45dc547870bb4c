import type { Projection, Rejection } from "../../../src/core/push.ts";
import type { Claim, NewAttempt, SettleOutcome, Store } from "../../../src/store/contract/store.ts";
import { claimsOf } from "../looks.ts";

export const PROJECTION: Projection = { jc_test_status: "completed" };
export const REJECTION: Rejection = {
  message: "no such mailbox",
  category: null,
  field: "email",
  httpStatus: 400,
  correlationId: "c-1",
};

/** The attempt that goes with an outcome; `reason` tells it from others. */
export function anAttempt(outcome: NewAttempt["outcome"], reason: string | null = null): NewAttempt {
  return { outcome, httpStatus: 200, correlationId: null, durationMs: 12, reason };
}

export const DELIVERED: SettleOutcome = { kind: "delivered", projection: PROJECTION };
export const REJECTED: SettleOutcome = { kind: "rejected", projection: PROJECTION, rejection: REJECTION };

/** Claims one push that must be there. */
export async function claimOne(store: Store, connectionId: number, now: number): Promise<Claim> {
  const [claim] = await claimsOf(store, { connectionId, limit: 1, now });
  if (!claim) throw new Error("nothing is due");
  return claim;
}

export async function claimedSubjects(store: Store, connectionId: number, now: number): Promise<string[]> {
  const claims = await claimsOf(store, { connectionId, limit: 100, now });
  return claims.map(({ subject }) => subject);
}

/** Claims and settles all that is due, in one way. */
export async function deliverAll(
  store: Store,
  connectionId: number,
  now: number,
  outcome: "delivered" | "rejected" = "delivered",
): Promise<void> {
  const claims = await claimsOf(store, { connectionId, limit: 100, now });
  await store.settle(
    claims.map((claim) => ({ claim, now, outcome: outcome === "delivered" ? DELIVERED : REJECTED })),
  );
}
