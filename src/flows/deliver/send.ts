import type { Connection, Outage } from "../../core/connection.ts";
import type { RateWindow } from "../../core/delivery/rate-window.ts";
import { nextTry } from "../../core/delivery/retry.ts";
import { isAppError } from "../../shared/errors.ts";
import type { Claim, ClaimKind, Settlement } from "../../store/contract/store.ts";
import type { Answer, SendResult } from "../../vendors/contract/destination.ts";
import type { DeliverContext, DeliverReport } from "./context.ts";
import { tellWhyHeld } from "./held.ts";
import { isEmpty, type Parcel, settlementOf, updateOf } from "./parcels.ts";
import { createProof } from "./proof.ts";
import { createTrips, type Trip } from "./trips.ts";

/** Single calls and what follows from their answers: settled record by record, or taken apart. */
export interface Sender {
  /** Takes up to so many due pushes for this delivery. */
  claim(limit: number): Promise<Claim[]>;
  /** The same with a place in the window; where that is full, waits for one. Null when nothing is due, or it aborts. */
  claimInWindow(
    limit: number,
    options: { window: RateWindow; signal: AbortSignal; kind: ClaimKind },
  ): Promise<Batch | null>;
  /**
   * Projects, sends and settles. What the vendor failed on as a whole comes back unsettled. `onAnswer`: the vendor
   * answered, and what to settle was handed to the store; what is asked of it now may share the commit.
   */
  sendBatch(claims: readonly Claim[], onAnswer?: () => void): Promise<Sent>;
  /** Did the vendor answer for any record yet? */
  heard(): boolean;
  /** Does the vendor take anything, as its answer to a later call shows, or to a contact that it took before? */
  vendorTakesOthers(since: number): Promise<boolean>;
  /**
   * Halves the batch until who makes the vendor fail stands alone. Returns what is left when the vendor takes nothing
   * any more, or the signal aborts: then no further half goes.
   */
  sendApart(trouble: Trouble, signal: AbortSignal): Promise<Trouble[]>;
  /** Its content makes the vendor fail: from now on it travels alone and backs off by itself. */
  blame(trouble: Trouble): Promise<void>;
  /** Due again at that time, one try spent. */
  putOff(troubles: readonly Trouble[], dueAt: number): Promise<void>;
  /** Due again at that time, at once unless given; no try spent. */
  giveBack(claims: readonly Claim[], dueAt?: number): Promise<void>;
  /** To be called while nothing moves that may need the proof: the contact that serves as proof is let go after a while. */
  idle(): Promise<void>;
  /** Leaves nothing claimed, however the delivery came to its end. */
  end(): Promise<void>;
}

/** Claimed to go in one call, from that time on; perhaps nothing, as others were faster. */
export interface Batch {
  claims: readonly Claim[];
  at: number;
}

export type Sent =
  /** There was nothing to tell, and no call. */
  { kind: "empty" } | { kind: "answered" } | Trouble;

/** A call that the vendor failed on as a whole: nobody knows yet whether it was the content. */
export interface Trouble {
  kind: "failed";
  parcels: readonly Parcel[];
  result: SendResult;
  /** By the order of calls and answers: what is answered later proves that the vendor is up. */
  sentAs: number;
}

/** "Too many", "locked" and "moving": https://developers.hubspot.com/docs/api-reference/error-handling */
const THROTTLES = [429, 423, 477];

/** The vendor said "not now", which is no matter of content. */
export function isThrottled({ result }: Trouble): boolean {
  return result.answers.some(
    (answer) => answer.kind === "retry" && THROTTLES.includes(answer.httpStatus ?? 0),
  );
}

/** When the vendor wants to be asked again; 0 when it did not say. */
export function notBeforeOf({ result }: Trouble): number {
  return Math.max(
    0,
    ...result.answers.map((answer) => (answer.kind === "retry" ? (answer.notBefore ?? 0) : 0)),
  );
}

export function createSender(context: DeliverContext, connection: Connection, report: DeliverReport): Sender {
  const { store, clock, destination } = context;
  const { unpaid, prepaid, inTurn } = createTrips(context);
  /** What this delivery has claimed and not settled. */
  const open = new Map<number, Claim>();
  const settle = async (settlements: readonly Settlement[]) => {
    if (settlements.length === 0) return;
    await untilStored(context, () => store.settle(settlements.map(withoutInvites)));
    const held = settlements.find(({ outcome }) => outcome.kind === "held");
    const heldClaim = held && open.get(held.claim.pushId);
    for (const { claim, outcome } of settlements) {
      open.delete(claim.pushId);
      if (outcome.kind === "delivered") report.delivered += 1;
      else if (outcome.kind === "rejected") report.rejected += 1;
      else if (outcome.kind === "held") report.held += 1;
      else if (outcome.kind === "pending" && outcome.counted) report.retried += 1;
    }
    if (held?.outcome.kind === "held" && heldClaim)
      await tellWhyHeld(context, connection, {
        cause: held.outcome.cause,
        detail: held.attempt?.reason ?? null,
        claim: heldClaim,
      });
  };

  const giveBack = async (claims: readonly Claim[], dueAt = clock.now()) => {
    const now = clock.now();
    await settle(
      claims.map((claim) => ({ claim, now, outcome: { kind: "pending", dueAt, counted: false } })),
    );
  };

  const call = ({ access, ended }: Trip, parcels: readonly Parcel[]) =>
    proof.listen(() => destination.send(access, parcels.map(updateOf)).finally(ended));
  const proof = createProof(clock, {
    tellAgain: (parcel) => call(unpaid(), [parcel]),
    settle: (settlement) => settle([settlement]),
  });

  const retryOf = ({ claim }: Parcel, answer: Answer, { alone }: { alone: boolean }) => {
    const notBefore = answer.kind === "retry" ? answer.notBefore : null;
    const { random, retryEveryMs } = context;
    const dueAt = nextTry({ tries: claim.tries + 1, now: clock.now(), notBefore, random, retryEveryMs });
    return { dueAt, counted: true, alone };
  };

  const send = async (
    via: Trip,
    parcels: readonly Parcel[],
    onAnswer: () => void = () => {},
  ): Promise<Sent> => {
    const { result, sentAs } = await call(via, parcels);
    if (result.answers.every(({ kind }) => kind === "retry"))
      return { kind: "failed", parcels, result, sentAs };
    const settled: Settlement[] = [];
    const [suspects, bystanders]: [Parcel[], Parcel[]] = [[], []];
    for (const [parcel, answer] of answered(parcels, result)) {
      if (answer.kind === "split" && parcels.length > 1) {
        (answer.suspect ? suspects : bystanders).push(parcel);
        continue;
      }
      const retry = retryOf(parcel, answer, { alone: false });
      const settlement = settlementOf(parcel, answer, { result, now: clock.now(), retry });
      if (answer.kind !== "accepted") {
        settled.push(settlement);
        continue;
      }
      const before = proof.exchange({ parcel, settlement, at: clock.now() });
      if (before) settled.push(before.settlement);
    }
    const settling = settle(settled);
    onAnswer();
    await settling;
    const parts = suspects.length === parcels.length ? halves(suspects) : [bystanders, suspects];
    return (await sendParts(parts.filter((part) => part.length > 0))) ?? { kind: "answered" };
  };

  /** The parts of a batch that was refused whole. One that meets an outage leaves the rest for later. */
  const sendParts = async (parts: readonly (readonly Parcel[])[]): Promise<Trouble | null> => {
    for (const [index, part] of parts.entries()) {
      const sent = await send(inTurn(), part);
      if (sent.kind !== "failed") continue;
      await giveBack(parts.slice(index + 1).flatMap((each) => each.map(({ claim }) => claim)));
      return sent;
    }
    return null;
  };

  const blame = async ({ parcels, result }: Trouble) => {
    await settle(
      answered(parcels, result).map(([parcel, answer]) => {
        const retry = retryOf(parcel, answer, { alone: true });
        return settlementOf(parcel, answer, { result, now: clock.now(), retry });
      }),
    );
  };

  /** One try per half. When one is answered, the other fails for its content; when none is, the witness tells. */
  const sendApart = async (trouble: Trouble, signal: AbortSignal): Promise<Trouble[]> => {
    if (trouble.parcels.length === 1) {
      await blame(trouble);
      return [];
    }
    if (signal.aborted) return [trouble];
    const since = proof.now();
    const failed: Trouble[] = [];
    for (const half of halves(trouble.parcels)) {
      if (signal.aborted || failed.some(isThrottled)) {
        await giveBack(half.map(({ claim }) => claim));
        continue;
      }
      const sent = await send(inTurn(), half);
      if (sent.kind === "failed") failed.push(sent);
    }
    if (failed.length === 0) return [];
    if (failed.some(isThrottled) || !(await proof.vendorTakesOthers(since))) return failed;
    // Beside each other: with several that hang, one after the other would outlast the lease.
    const ended = await Promise.allSettled(failed.map((each) => sendApart(each, signal)));
    return ended.flatMap((each) => {
      if (each.status === "rejected") throw each.reason;
      return each.value;
    });
  };

  return {
    claim: async (limit) => {
      const claims = await store.claim({ connectionId: connection.id, limit, now: clock.now() });
      for (const claim of claims) open.set(claim.pushId, claim);
      return claims;
    },
    claimInWindow: async (limit, { window, signal, kind }) => {
      while (!signal.aborted) {
        const now = clock.now();
        const request = { connectionId: connection.id, limit, now, kind, window };
        const { claims, place } = await store.claimInWindow(request);
        if (place === null) return null;
        const { at, isTaken } = place;
        for (const claim of claims) open.set(claim.pushId, claim);
        if (isTaken) return { claims, at };
        await clock.sleep(at - window.aheadMs - now, signal).catch(() => {});
      }
      return null;
    },
    sendBatch: async (claims, onAnswer) => {
      const parcels = claims.map(
        (claim): Parcel => ({ claim, ...destination.project(claim.invites, claim.knownFields) }),
      );
      const now = clock.now();
      await settle(
        parcels
          .filter(isEmpty)
          .map(({ claim, warnings }) => ({ claim, warnings, now, outcome: { kind: "empty" } })),
      );
      const full = parcels.filter((parcel) => !isEmpty(parcel));
      return full.length === 0 ? { kind: "empty" } : await send(prepaid(), full, onAnswer);
    },
    heard: proof.heard,
    vendorTakesOthers: proof.vendorTakesOthers,
    sendApart,
    blame,
    putOff: async (troubles, dueAt) => {
      const retry = { dueAt, counted: true, alone: false };
      const now = clock.now();
      await settle(
        troubles.flatMap(({ parcels, result }) =>
          answered(parcels, result).map(([parcel, answer]) =>
            settlementOf(parcel, answer, { result, now, retry }),
          ),
        ),
      );
    },
    giveBack,
    idle: proof.idle,
    end: async () => {
      try {
        await proof.letGo();
      } finally {
        await giveBack([...open.values()]).finally(() =>
          store.letGo([...new Set([...open.values()].map(({ lease }) => lease))]),
        );
      }
    },
  };
}

function answered(parcels: readonly Parcel[], { answers }: SendResult): [Parcel, Answer][] {
  return parcels.map((parcel, index) => {
    const answer = answers[index];
    if (!answer) throw new Error("the destination left an update without an answer");
    return [parcel, answer];
  });
}

function halves<Item>(items: readonly Item[]): Item[][] {
  const half = Math.ceil(items.length / 2);
  return [items.slice(0, half), items.slice(half)];
}

/** What was projected is of no use to the store any more, and to hand it over costs as much as all the rest. */
function withoutInvites({ claim, ...settlement }: Settlement): Settlement {
  const { pushId, lease, version, carries } = claim;
  return { ...settlement, claim: { pushId, lease, version, carries } };
}

const STORE_AGAIN_MS = 1_000;
const STORE_PATIENCE_MS = 60_000;

/** What the vendor answered shall not be forgotten because the disk was full for a moment. */
async function untilStored({ clock, stop }: DeliverContext, work: () => Promise<void>): Promise<void> {
  const giveUpAt = clock.now() + STORE_PATIENCE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isAppError(error, "STORE_UNAVAILABLE") || stop.aborted || clock.now() >= giveUpAt) throw error;
      await clock.sleep(STORE_AGAIN_MS, stop).catch(() => {});
    }
  }
}

/** One delivery to one connection. */
export interface Delivery {
  context: DeliverContext;
  connection: Connection;
  sender: Sender;
  /** As it was found or noted last; another process may have noted more since. */
  outage: Outage | null;
}
