/** What a vendor's answer to one call says, record by record. */
import type { HeldCause, Rejection } from "../push.ts";

export type Answer =
  | { kind: "accepted" }
  | { kind: "rejected"; rejection: Rejection }
  | RetryAnswer
  /**
   * The call was refused whole, and one of several records may be to blame: send them in calls of their own, at once.
   * `suspect`: this one may be it. Where the vendor names culprits the others are no suspects and may go together.
   */
  | { kind: "split"; rejection: Rejection; suspect: boolean }
  | { kind: "held"; cause: HeldCause; detail: string };

/** Not now. `notBefore`: ms since the epoch, when the vendor named a time. */
export interface RetryAnswer {
  kind: "retry";
  /** The vendor limits, locks or moves the account: "not now" to whatever is sent, and no matter of content. */
  isThrottle: boolean;
  reason: string;
  httpStatus: number | null;
  notBefore: number | null;
  correlationId: string | null;
}
