import type { ClaimKind } from "../../core/delivery/events.ts";
import type { RateWindow } from "../../core/delivery/rate-window.ts";
import type { Forgotten } from "../../core/forgotten.ts";
import type { Invite } from "../../core/invite.ts";
import type {
  AttemptOutcome,
  HeldCause,
  KnownRecord,
  MappingWarning,
  Projection,
  Rejection,
  SeenRecord,
} from "../../core/push.ts";
import type { ConnectionChanges } from "./connections.ts";

/** Pushes on their way: taken, settled, kept back. */
export interface DeliveryVerbs {
  /**
   * Takes up to `limit` due pushes of one connection for this process, the longest due first. With a `window` it takes a
   * slot in it too, and neither without the other: where no slot is free, or nothing is due, nothing is taken. Of several
   * subjects that are one record of the vendor's it takes one at a time, with the invites of all of them.
   */
  claim(request: ClaimRequest): Promise<Claimed>;
  /**
   * Ends claims and appends their attempts. A push whose version moved meanwhile is due again at once, unless it
   * was to be tried later anyway; one whose lease was lost is left as it is, or told again where something older may have
   * come to the vendor last. In the same step it notes which record each subject is: where that changes whose results go
   * to whom, all concerned that have a push are raised.
   */
  settle(settlements: readonly Settlement[]): Promise<void>;
  /** Claims under these leases that nobody could settle, as on a full disk, are claimable again as soon as the store can write. */
  letGo(leases: readonly number[]): Promise<void>;
  /**
   * Which connections have pushes that are or will be due, when the first is that may be claimed, and by which consent they stand: all of
   * them, or the one that is asked about. Held connections have none. What waits for longer than anything may, or since a time to come, stems from a clock that
   * was ahead, and is due now.
   */
  dueWork(now: number, connectionId?: number): Promise<DueWork[]>;
  /**
   * Keeps back all open pushes of a connection, and those to come, until `release`. Returns how many were open; null
   * where a hold that was asked for only under a condition does not apply.
   */
  hold(connectionId: number, request: HoldRequest): Promise<number | null>;
  /**
   * Makes due what is kept back: `held` for one of these causes and, with `putOff`, what was to be tried later. Where
   * another cause stands on the connection, that one holds from now on what was held. With the cause `vault` it also
   * forgets the vault's trouble, as its last step: what is cut off can be told by it. Returns how many pushes that were.
   */
  release(connectionId: number, what: Releasing, now: number): Promise<number>;
  /**
   * Gives these subjects a new version, due now (in a held connection: held). Creates pushes that do not exist. `current`
   * are subjects that were compared beside them, whose state the destination was found to hold, up to the version
   * `carries`: they count as delivered up to it. Returns how many were raised.
   */
  raise(connectionId: number, what: Raising, now: number): Promise<number>;
  /**
   * Takes a slot in the window of `key`, counted over all processes: this one's until `endCall`, or until it dies. What
   * is free when, `takeSlot` of the core says; `now` is the monotonic clock's.
   */
  takeCall(call: RateWindow & { now: number }): Promise<Slot>;
  /** The call in that slot was answered, or given up, at that time by the monotonic clock. */
  endCall(slotId: number, answeredAt: number): Promise<void>;
  /** From now on no process may count on more than `calls` in the window of `key`; null ends that. */
  limitCalls(limit: { key: string; calls: number | null }): Promise<void>;
}

export interface ClaimRequest {
  connectionId: number;
  limit: number;
  now: number;
  /** `any` unless given. What is not of a kind is looked through to find what is. */
  kind?: ClaimKind;
  /** `now` as `takeCall` has it. */
  window?: RateWindow & { now: number };
}

/** `slot`: null where none was asked for, or nothing is due. One that is not taken comes without claims. */
export interface Claimed {
  claims: Claim[];
  slot: Slot | null;
}

/** One push taken for delivery, with all that its projection needs. */
export interface Claim {
  pushId: number;
  /** Proves at `settle` that the push is still ours. */
  lease: number;
  subject: string;
  version: number;
  /** The newest state the projection will carry; what is delivered with it. */
  carries: number;
  /** The oldest change that is undelivered, ms; null where nothing was. */
  pendingSince: number | null;
  /** Failed tries since the push became due. */
  tries: number;
  /** Its content makes the vendor fail: it goes in calls of its own. */
  isQuarantined: boolean;
  /** The account held it once. */
  wasDelivered: boolean;
  /** Which record of the vendor's it was last; null while nobody knows. */
  known: KnownRecord | null;
  /** What its destination asked to be kept when it was accepted last; null where it was nothing. */
  receipt: string | null;
  /** Of all subjects that are known to be this record. */
  invites: Invite[];
  /** What others of the subject told that are gone; null where none did. */
  forgotten: Forgotten | null;
  /** The account's fields as they were known when it was taken: what is raised for new ones is projected with them. */
  knownFields: string[] | null;
  /** By which consent the connection stood then. */
  connectedAt: number | null;
}

export interface Settlement {
  claim: Pick<Claim, "pushId" | "subject" | "lease" | "version" | "carries">;
  outcome: SettleOutcome;
  /** Absent where no call was made. */
  attempt?: NewAttempt;
  warnings?: MappingWarning[];
  /** Which record the vendor found it to be, where that is news. */
  record?: SeenRecord;
  now: number;
}

export type SettleOutcome =
  /** The vendor holds this projection. `receipt`: what its destination wants back next time; absent leaves what is kept. */
  | { kind: "delivered"; projection: Projection; receipt?: string }
  /** There was nothing to tell. */
  | { kind: "empty" }
  | { kind: "rejected"; projection: Projection; rejection: Rejection }
  /** `quarantine`: its content makes the vendor fail; it goes in calls of its own from now on, until it changes. */
  | { kind: "pending"; dueAt: number; counted: boolean; quarantine?: boolean }
  | { kind: "held"; cause: HeldCause };

export interface NewAttempt {
  outcome: AttemptOutcome;
  httpStatus: number | null;
  correlationId: string | null;
  durationMs: number;
  /** The vendor's words or ours; may hold personal data. */
  reason: string | null;
}

export interface DueWork {
  connectionId: number;
  dueAt: number;
  connectedAt: number | null;
}

export type HoldRequest = { cause: HeldCause } | ConnectedHold;

/**
 * A hold together with a change of the connection, in one step, and only while the connection is `connected` by that very
 * consent and held for nothing else; an unreadable vault gives way to `reconnect`.
 */
export interface ConnectedHold {
  cause: Extract<HeldCause, "reconnect" | "vault">;
  /** When the consent was given that the finding is about. */
  connectedAt: number | null;
  changes: Pick<ConnectionChanges, "state" | "banner" | "vaultTrouble">;
}

export interface Releasing {
  held?: readonly HeldCause[];
  /** Of what is held so, these alone. */
  subjects?: readonly string[];
  putOff?: true;
}

export interface Raising {
  subjects: readonly string[];
  current?: readonly { subject: string; carries: number }[];
  /** The operator's run that asks for it. */
  runId?: number;
  /** What is held as `gone` is due too, and counts as never told: the vendor is to make it anew. */
  recreates?: true;
}

/**
 * `at`: from when on the call may go, by the monotonic clock. Without an `id` none is free, and one is to be asked for
 * again `aheadMs` before.
 */
export interface Slot {
  at: number;
  id: number | null;
}
