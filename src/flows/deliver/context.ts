import type { Clock } from "../../shared/clock.ts";
import type { AppError } from "../../shared/errors.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Access } from "../../vendors/contract/access.ts";
import type { Destination } from "../../vendors/contract/destination.ts";

/** What one delivery came to. */
export interface DeliverReport {
  delivered: number;
  rejected: number;
  held: number;
  retried: number;
  /** Nothing can be delivered before this time, ms since the epoch; 0 when nothing stands in the way. */
  restUntil: number;
}

export interface DeliverContext {
  store: Pick<
    Store,
    | "claim"
    | "takeCall"
    | "endCall"
    | "limitCalls"
    | "settle"
    | "letGo"
    | "isHolding"
    | "hold"
    | "release"
    | "saveConnection"
    | "dueWork"
    | "mark"
    | "countPushes"
    | "connection"
  >;
  clock: Clock;
  destination: Destination;
  access: Access;
  random: () => number;
  retryEveryMs: number;
  /** Somebody wants it tried now: asks a vendor that is left in peace, unless it was the vendor who said so. */
  insists: boolean;
  /** No further call once it aborts; `access.signal` cuts off those under way. */
  stop: AbortSignal;
  /** Hears of what only a person can mend, as a vault that is locked; what it throws ends the delivery. */
  onProblem: (problem: AppError) => void;
}
