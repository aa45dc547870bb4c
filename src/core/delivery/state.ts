/** The state of one delivery: plain data. */
import type { Outage } from "../connection.ts";
import type { ClaimedPush, DeliveryCommand } from "./events.ts";
import type { TakenSlot } from "./rate-window.ts";

/** What stays the same from the first event to the last. */
export interface Rules {
  batchSize: number;
  mostInFlight: number;
  /** All processes count in one rate window: a batch is claimed with its slot. */
  hasWindow: boolean;
  /** Calls so far apart never fill the window; 0 without a limit. */
  spacingMs: number;
  /** A slot is taken so long before its time at most. */
  aheadMs: number;
  retryEveryMs: number;
  /** Somebody wants it tried now: the vendor is asked at once, unless the vendor itself named a time. */
  insists: boolean;
}

/**
 * `probing`: is the vendor back? `draining`: nothing new goes, what is in flight is awaited. `resting`: the outage is
 * noted before the end. `over`: every push was settled or given back.
 */
export type Phase = "probing" | "sending" | "draining" | "resting" | "over";

/** Pushes that were claimed to go in one call, and the parts they are sent in where the vendor refused them whole. */
export interface Batch {
  id: number;
  kind: "claimed" | "half" | "canary" | "probe";
  stage: "claimed" | "preparing" | "ready" | "queued" | "waiting for a slot" | "in flight";
  /** What goes in the next call, or is in it. */
  pushes: readonly ClaimedPush[];
  /** Parts that go after it, one after the other. */
  rest: readonly (readonly ClaimedPush[])[];
  /** Its slot is for this time. */
  goAt: number;
  /** Taken for its next call; null where it has none yet, or needs none. */
  slot: TakenSlot | null;
  /** By the order of calls and answers; 0 before its first call. */
  sentAs: number;
  /** Counts among the calls in flight until its first answer. */
  isFirst: boolean;
  /** The bisect whose half it is. */
  bisect: number | null;
  /** It goes again, whole or in parts, after the vendor refused it. */
  wasRefused: boolean;
}

/** A call on which the vendor gave no verdict for any record: an outage, or the content of one of them. */
export interface Failure {
  pushes: readonly ClaimedPush[];
  sentAs: number;
  isThrottle: boolean;
  /** When the vendor wants to be asked again; null when it did not say. */
  notBefore: number | null;
  /** The vendor's words; they may name people. */
  reason: string;
}

/** A failed batch whose halves are tried one after the other. */
export interface Bisect {
  id: number;
  /** The bisect that the first failure of this content began. */
  root: number;
  /** What is answered later than this shows that the vendor is up. */
  since: number;
  second: readonly ClaimedPush[] | null;
  failures: readonly Failure[];
}

/** Failures of which nobody knows yet whether it is their content. `root`: they are halves of that bisect. */
export interface Doubt {
  since: number;
  failures: readonly Failure[];
  root: number | null;
}

export interface Canary extends ClaimedPush {
  acceptedAt: number;
}

export interface DeliveryState {
  rules: Rules;
  phase: Phase;
  /** Stopped from outside: no further call. */
  isStopped: boolean;
  /** The store, the vault or the login failed: no further call, and nothing to conclude. */
  isBroken: boolean;
  /** As it was found or noted last. */
  outage: Outage | null;
  lastId: number;
  /** Counts calls and answers. `heardAs`: the last answer with a verdict on a record; `unheardAs`: the last canary in vain. */
  order: number;
  heardAs: number;
  unheardAs: number;
  /** Accepted last, and kept unsettled: nobody else tells the vendor anything newer of it. */
  canary: Canary | null;
  batches: readonly Batch[];
  /** Taken for calls that did not go yet; `probeSlot` is the probe's while it is looked for. */
  slots: readonly TakenSlot[];
  probeSlot: TakenSlot | null;
  bisects: readonly Bisect[];
  doubts: readonly Doubt[];
  /** Their pushes are not settled yet. While there is one nothing new is sent; after the last call `endDrain` says outage or content. */
  unsettledFailures: readonly Failure[];
  /** Claims and the like that the executor has not answered yet. */
  asked: number;
  /** The last claim was as large as a call may be: there is more. */
  wasFull: boolean;
  /** Nothing is claimed before. */
  askAt: number;
  /** Nothing is due, as far as the last claim knew; looked for again at `lookAt`. */
  isDry: boolean;
  lookAt: number;
  /** A batch ended since the last claim was asked for. */
  hasNews: boolean;
  /** Some failed for their content: from then on new results go in calls of their own, and have every second slot. */
  isTroubled: boolean;
  isTurnOfFailed: boolean;
  /** Claimed while a probe was looked for, and no good as one. */
  skipped: readonly ClaimedPush[];
  wakeAt: number | null;
}

/** When a step happens, and where its jitter comes from. */
export interface Moment {
  now: number;
  /** 0 ≤ x < 1. */
  random: () => number;
}

/** A step under way: the state's fields are replaced, never changed in place. */
export interface Step extends DeliveryState, Moment {
  commands: DeliveryCommand[];
}
