import type { HeldCause, PushState } from "../../core/push.ts";
import type { SettleOutcome } from "../contract/store.ts";

/** What becomes of a push whose version did not move. */
export function endOf(outcome: Exclude<SettleOutcome, { kind: "pending" }>): {
  state: PushState;
  heldCause: HeldCause | null;
} {
  if (outcome.kind === "held") return { state: "held", heldCause: outcome.cause };
  return { state: outcome.kind === "rejected" ? "rejected" : "delivered", heldCause: null };
}
