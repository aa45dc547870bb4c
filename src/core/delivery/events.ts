/** What happens to a delivery, and what it wants done. */
import type { Outage } from "../connection.ts";
import type { Answer } from "./answer.ts";
import type { TakenSlot } from "./rate-window.ts";

/** A push under our lease, as far as decisions need it. */
export interface ClaimedPush {
  pushId: number;
  /** Failed tries since it became due. */
  tries: number;
  isQuarantined: boolean;
}

/** Which due pushes to claim: those never tried, or those that failed before; `failed together`: none in quarantine. */
export type ClaimKind = "any" | "fresh" | "failed" | "failed together";

export type DeliveryEvent =
  | { kind: "began" }
  /** `isOurs`: no other process probes in this tick. */
  | { kind: "tick opened"; isOurs: boolean }
  /** Null where the account has no rate window. */
  | { kind: "slot taken"; slot: TakenSlot | null }
  /** With a slot, if one was asked for with it; its call may go `at`. Perhaps nothing, as others were faster. */
  | { kind: "claimed"; pushes: readonly ClaimedPush[]; at: number; slot: TakenSlot | null }
  | { kind: "nothing due" }
  /** `empty`: these have nothing to tell. */
  | { kind: "prepared"; batch: number; empty: readonly number[] }
  /** It has its slot. */
  | { kind: "went"; batch: number }
  /** One answer for each push of the call, in their order. */
  | { kind: "answered"; batch: number; answers: readonly Answer[] }
  /** The store refused, or there is no access: `batch` has no answer, or what was asked of the store (`isAsked`). */
  | { kind: "broke"; batch?: number; isAsked?: boolean }
  /** The connection's outage as all processes have noted it by now. */
  | { kind: "outage read"; outage: Outage | null }
  | { kind: "time came" }
  | { kind: "told to stop" };

/** How a claim ends. `as answered`: accepted, rejected or held, as the vendor said last. */
export type Ending =
  | "as answered"
  | "empty"
  /** Due again at that time. `counted`: a try was spent, of which an attempt is kept. */
  | { dueAt: number; counted: boolean; quarantine: boolean };

export interface End {
  pushId: number;
  ending: Ending;
}

export type DeliveryCommand =
  /** Takes what is due of the first of these kinds that has any, with a slot if the account has a window. `isLook`: it may well be nothing. */
  | { kind: "claim"; kinds: readonly ClaimKind[]; limit: number; isLook: boolean }
  /** Takes one, whose slot was taken before. */
  | { kind: "claim probe" }
  | { kind: "take slot" }
  | { kind: "open tick"; dueAt: number }
  | { kind: "prepare"; batch: number; pushIds: readonly number[] }
  /** `goesAtOnce`: with `slot`, or without one where the account has no rate window. Else the executor takes one first. */
  | { kind: "send"; batch: number; pushIds: readonly number[]; goesAtOnce: boolean; slot: TakenSlot | null }
  /** Taken for calls that do not go. */
  | { kind: "free slots"; slots: readonly TakenSlot[] }
  | { kind: "settle"; ends: readonly End[] }
  | { kind: "read outage" }
  | { kind: "save outage"; outage: Outage | null }
  /** What was put off is due now. */
  | { kind: "hasten" }
  | { kind: "wake"; at: number }
  /** Whoever waits for a slot to claim with gives up. */
  | { kind: "stop claiming" }
  /** `restUntil`: nothing can be delivered before; 0 when nothing stands in the way. */
  | { kind: "finish"; restUntil: number };
