import type { AppError } from "../../shared/errors.ts";
import type { DeliverContext } from "./context.ts";

/**
 * Leaves a trace in the delivery log of a delivery that came to nothing before its first call: one attempt, on the push
 * that was next, which costs it no try. The many behind it met the same.
 */
export async function attemptRefused(
  { store, clock }: Pick<DeliverContext, "store" | "clock">,
  connectionId: number,
  { message: reason }: AppError,
): Promise<void> {
  const now = clock.now();
  const { claims } = await store.claim({ connectionId, limit: 1, now });
  const [claim] = claims;
  if (!claim) return;
  const attempt = { outcome: "retry", httpStatus: null, correlationId: null, durationMs: 0, reason } as const;
  await store.settle([{ claim, now, attempt, outcome: { kind: "pending", dueAt: now, counted: false } }]);
}
