/** What a vendor's answer to one call says, record by record. */
import type { HeldCause, Rejection } from "../push.ts";

export type Answer =
  | { kind: "accepted" }
  /** `mayPass`: it clashed with what somebody wrote at that very moment, and is to be told once more. */
  | { kind: "rejected"; rejection: Rejection; mayPass?: true }
  | RetryAnswer
  | AgainAnswer
  /**
   * The call was refused whole, and one of several records may be to blame: send them in calls of their own, at once.
   * `suspect`: this one may be it. Where the vendor names culprits the others are no suspects and may go together.
   */
  | { kind: "split"; rejection: Rejection; suspect: boolean }
  | { kind: "held"; cause: HeldCause; detail: string };

/** This record from `at` on (ms since the epoch), and the vendor is none the worse for it: it took others, or a part of it. */
export interface AgainAnswer {
  kind: "again";
  at: number;
  reason: string;
  httpStatus: number | null;
  correlationId: string | null;
}

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
