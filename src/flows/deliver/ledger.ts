import type { Answer } from "../../core/delivery/answer.ts";
import type { ClaimedPush, End, Ending } from "../../core/delivery/events.ts";
import type { Connection } from "../../core/connection.ts";
import type { MappingWarning, Projection, SeenRecord } from "../../core/push.ts";
import { isAppError } from "../../shared/errors.ts";
import type { Claim, NewAttempt, Settlement, SettleOutcome } from "../../store/contract/store.ts";
import type { SendResult, Update } from "../../vendors/contract/destination.ts";
import type { DeliverContext, DeliverReport } from "./context.ts";
import { tellWhyHeld } from "./obstacles.ts";

/** What this delivery has claimed and not settled, with what each push shall tell and how it was answered. */
export interface Ledger {
  add(claims: readonly Claim[]): ClaimedPush[];
  /** Projects them, and returns those that have nothing to tell. */
  project(pushIds: readonly number[]): number[];
  updatesOf(pushIds: readonly number[]): Update[];
  /** Are they all surely still claimed by this process? */
  areOurs(pushIds: readonly number[]): boolean;
  noteAnswers(pushIds: readonly number[], result: SendResult): void;
  /** Waits while the store cannot write, up to a minute. */
  settle(ends: readonly End[]): Promise<void>;
  /** How many ended how. */
  counts(): Omit<DeliverReport, "restUntil">;
  /** Leaves nothing claimed, however the delivery came to its end. */
  close(): Promise<void>;
}

interface Entry {
  claim: Claim;
  projection: Projection;
  warnings: MappingWarning[];
  answered: { answer: Answer; result: SendResult; told: Told; at: number } | null;
}

/** What the call's result says of one update beside its answer. */
interface Told {
  record: SeenRecord | null;
  receipt: string | null;
  leftOut: readonly MappingWarning[];
}

function toldOf({ records, receipts, leftOut }: SendResult, index: number): Told {
  return {
    record: records?.[index] ?? null,
    receipt: receipts?.[index] ?? null,
    leftOut: leftOut?.[index] ?? [],
  };
}

export function createLedger(context: DeliverContext, connection: Connection): Ledger {
  const { store, clock, destination } = context;
  const open: OpenEntries = new Map();
  const counts = { delivered: 0, rejected: 0, held: 0, retried: 0 };
  const settle = async (ends: readonly End[]) => {
    for (const { outcome } of await settleEntries(context, connection, { open, ends })) {
      if (outcome.kind === "pending") counts.retried += Number(outcome.counted);
      else if (outcome.kind !== "empty") counts[outcome.kind] += 1;
    }
  };
  return {
    add: (claims) =>
      claims.map((claim) => {
        open.set(claim.pushId, { claim, projection: {}, warnings: [], answered: null });
        const { pushId, tries, isQuarantined } = claim;
        return { pushId, tries, isQuarantined };
      }),
    project: (pushIds) =>
      pushIds.filter((pushId) => {
        const entry = entryOf(open, pushId);
        const { invites, knownFields, forgotten } = entry.claim;
        const { projection, warnings } = destination.project(invites, knownFields, forgotten);
        entry.projection = projection;
        entry.warnings = warnings;
        // They are most of what a claim holds, and nobody asks for them again.
        entry.claim.invites = [];
        return Object.keys(entry.projection).length === 0;
      }),
    updatesOf: (pushIds) =>
      pushIds.map((pushId) => {
        const { claim, projection } = entryOf(open, pushId);
        const { subject, version, wasDelivered, known, receipt } = claim;
        const update: Update = { subject, traceId: `${pushId}-${version}`, version, projection };
        if (wasDelivered) update.wasDelivered = true;
        if (known !== null) update.known = known;
        if (receipt !== null) update.receipt = receipt;
        return update;
      }),
    areOurs: (pushIds) => pushIds.every((pushId) => store.isHolding(entryOf(open, pushId).claim.lease)),
    noteAnswers: (pushIds, result) => {
      const at = clock.now();
      for (const [index, pushId] of pushIds.entries()) {
        const answer = result.answers[index];
        if (!answer) throw new Error("the destination left an update without an answer");
        const entry = entryOf(open, pushId);
        // What was accepted stays accepted, whatever becomes of telling it again.
        if (entry.answered?.answer.kind !== "accepted")
          entry.answered = { answer, result, told: toldOf(result, index), at };
      }
    },
    settle,
    counts: () => counts,
    close: async () => {
      const now = clock.now();
      const ending: Ending = { dueAt: now, counted: false, quarantine: false };
      const leases = () => [...new Set([...open.values()].map(({ claim }) => claim.lease))];
      if (open.size === 0) return;
      await settle([...open.keys()].map((pushId) => ({ pushId, ending }))).finally(() =>
        store.letGo(leases()),
      );
    },
  };
}

type OpenEntries = Map<number, Entry>;

function entryOf(open: OpenEntries, pushId: number): Entry {
  const entry = open.get(pushId);
  if (!entry) throw new Error("a push was decided on that is not claimed");
  return entry;
}

async function settleEntries(
  context: DeliverContext,
  connection: Connection,
  { open, ends }: { open: OpenEntries; ends: readonly End[] },
): Promise<Settlement[]> {
  const { store, clock } = context;
  const settlements = ends.map(({ pushId, ending }) =>
    settlementOf(entryOf(open, pushId), ending, clock.now()),
  );
  await untilStored(context, () => store.settle(settlements));
  const held = settlements.find(({ outcome }) => outcome.kind === "held");
  const entry = held && open.get(held.claim.pushId);
  for (const { pushId } of ends) open.delete(pushId);
  if (entry && held.outcome.kind === "held") {
    const detail = held.attempt?.reason ?? null;
    await tellWhyHeld(context, connection, { cause: held.outcome.cause, detail, claim: entry.claim });
  }
  return settlements;
}

/**
 * The invites stay here: to hand them over again costs as much as all the rest. Made once for each contact, without spreads
 * of what may be absent: one costs ten times as much as all that is named here.
 */
function settlementOf(
  { claim, projection, warnings, answered }: Entry,
  ending: Ending,
  now: number,
): Settlement {
  const { pushId, subject, lease, version, carries } = claim;
  const base = { claim: { pushId, subject, lease, version, carries } };
  if (ending === "empty") return { ...base, warnings, now, outcome: { kind: "empty" } };
  if (ending !== "as answered" && !ending.counted)
    return { ...base, now, outcome: { kind: "pending", ...ending } };
  if (!answered) throw new Error("a push that was not answered cannot end as answered");
  const { answer, result, at } = answered;
  const { record, receipt, leftOut } = answered.told;
  const { httpStatus, correlationId, durationMs } = result;
  const { outcome, attempt } =
    ending === "as answered"
      ? verdictOf(answer, {
          projection,
          receipt,
          isRecreated: claim.wasDelivered && (result.made ?? []).includes(claim.subject),
        })
      : retryOf(answer, ending);
  const told = attempt.outcome === "recreated" ? [...leftOut, RECREATED] : leftOut;
  const settlement: Settlement = {
    claim: base.claim,
    warnings: told.length === 0 ? warnings : [...warnings, ...told],
    now: ending === "as answered" ? at : now,
    outcome,
    attempt: {
      outcome: attempt.outcome,
      httpStatus: attempt.httpStatus === undefined ? httpStatus : attempt.httpStatus,
      correlationId: attempt.correlationId === undefined ? correlationId : attempt.correlationId,
      durationMs,
      reason: attempt.reason ?? null,
    },
  };
  if (record !== null && isNews(record, claim) && outcome.kind === "delivered") settlement.record = record;
  return settlement;
}

function isNews({ id, subjects }: SeenRecord, { known }: Claim): boolean {
  return subjects !== undefined || id !== known?.id;
}

type TriedAs = { outcome: SettleOutcome; attempt: Partial<NewAttempt> & Pick<NewAttempt, "outcome"> };

const RECREATED: MappingWarning = {
  field: "contact",
  reason: "it was gone from the account, or had another address there, and was created anew",
};

/** A record that the vendor refuses by itself is rejected, also where it said no to the whole call. */
function verdictOf(
  answer: Answer,
  {
    projection,
    receipt,
    isRecreated,
  }: { projection: Projection; receipt: string | null; isRecreated: boolean },
): TriedAs {
  switch (answer.kind) {
    case "accepted":
      return {
        outcome:
          receipt === null ? { kind: "delivered", projection } : { kind: "delivered", projection, receipt },
        attempt: isRecreated ? { outcome: "recreated", reason: RECREATED.reason } : { outcome: "delivered" },
      };
    case "rejected":
    case "split": {
      const { rejection } = answer;
      const { message, field, httpStatus, correlationId } = rejection;
      const reason = field ? `${field}: ${message}` : message;
      return {
        outcome: { kind: "rejected", projection, rejection },
        attempt: { httpStatus, correlationId, outcome: "rejected", reason },
      };
    }
    case "held":
      return {
        outcome: { kind: "held", cause: answer.cause },
        attempt: { outcome: "held", reason: answer.detail },
      };
    case "retry":
    case "again":
      throw new Error("a push that is to be told again has to wait for a time");
  }
}

function retryOf(answer: Answer, ending: Exclude<Ending, string>): TriedAs {
  if (answer.kind !== "retry" && answer.kind !== "again")
    throw new Error("a try is counted for what the vendor did not decide");
  const { httpStatus, correlationId, reason } = answer;
  return {
    outcome: { kind: "pending", ...ending },
    attempt: { httpStatus, correlationId, outcome: "retry", reason },
  };
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
