import type { Connection } from "../core/connection.ts";
import { nextTry } from "../core/retry.ts";
import type { Claim, Settlement } from "../store/contract.ts";
import type { Access, Answer, SendResult } from "../vendors/contract.ts";
import type { DeliverContext, DeliverReport } from "./deliver.ts";
import { isEmpty, type Parcel, settlementOf, updateOf } from "./parcels.ts";

/** Single calls and what follows from their answers: settled record by record, or taken apart. */
export interface Sender {
  /** Projects, sends and settles. Returns the call when the vendor failed on it as a whole; it is not settled then. */
  sendBatch(claims: readonly Claim[]): Promise<Trouble | null>;
  /** Does the vendor take anything at all, apart from what these calls held? */
  vendorTakesOthers(troubles: readonly Trouble[]): Promise<boolean>;
  /** Halves the batch until who makes the vendor fail stands alone. Returns what is left when it takes nothing any more. */
  sendApart(trouble: Trouble): Promise<Trouble[]>;
  /** Due again at that time, one try spent. */
  putOff(troubles: readonly Trouble[], dueAt: number): Promise<void>;
  /** Due again at once, no try spent. */
  giveBack(parcels: readonly Parcel[]): Promise<void>;
}

/** A call that the vendor failed on as a whole: nobody knows yet whether it was the content. */
export interface Trouble {
  parcels: readonly Parcel[];
  answers: readonly Answer[];
  result: SendResult;
  /** By the order of calls: what was accepted later proves that the vendor is up. */
  sentAs: number;
  /** The vendor said "not now", which is no matter of content. */
  isThrottled: boolean;
  notBefore: number | null;
}

/** "Too many", "locked" and "moving": https://developers.hubspot.com/docs/api-reference/error-handling */
const THROTTLES = [429, 423, 477];

export function createSender(context: DeliverContext, connection: Connection, report: DeliverReport): Sender {
  const { store, clock, destination } = context;
  let calls = 0;
  let lastAcceptedIn = 0;
  let lastAccepted: Parcel | null = null;

  const settle = async (settlements: readonly Settlement[]) => {
    await store.settle(settlements);
    for (const { outcome } of settlements) {
      if (outcome.kind === "delivered") report.delivered += 1;
      else if (outcome.kind === "rejected") report.rejected += 1;
      else if (outcome.kind === "held") report.held += 1;
      else if (outcome.kind === "pending") report.retried += 1;
    }
  };

  const giveBack = async (parcels: readonly Pick<Parcel, "claim">[]) => {
    const now = clock.now();
    await store.settle(
      parcels.map(({ claim }) => ({ claim, now, outcome: { kind: "pending", dueAt: now, counted: false } })),
    );
  };

  /** One call. What it throws says nothing about the records: they go back as they came. */
  const call = async (
    access: Access,
    parcels: readonly Parcel[],
  ): Promise<{ result: SendResult; sentAs: number }> => {
    calls += 1;
    const sentAs = calls;
    try {
      const result = await destination.send(access, parcels.map(updateOf));
      const accepted = parcels.find((_, index) => result.answers[index]?.kind === "accepted");
      if (accepted) {
        lastAccepted = accepted;
        calls += 1;
        lastAcceptedIn = calls;
      }
      return { result, sentAs };
    } catch (error) {
      await giveBack(parcels);
      throw error;
    }
  };

  const retryOf = ({ claim }: Parcel, answer: Answer, alone: boolean) => {
    const notBefore = answer.kind === "retry" ? answer.notBefore : null;
    const { random, retryEveryMs } = context;
    const dueAt = nextTry({ tries: claim.tries + 1, now: clock.now(), notBefore, random, retryEveryMs });
    return { dueAt, counted: true, alone };
  };

  /** Sends and settles what the answers settle; returns the call itself if they settle nothing. */
  const send = async (access: Access, parcels: readonly Parcel[]): Promise<Trouble | null> => {
    const { result, sentAs } = await call(access, parcels);
    const { answers } = result;
    const travelsAlone = parcels.length === 1 && parcels[0]?.claim.alone === true;
    const isThrottled = answers.some(
      (answer) => answer.kind === "retry" && THROTTLES.includes(answer.httpStatus ?? 0),
    );
    if (answers.every((answer) => answer.kind === "retry") && (isThrottled || !travelsAlone)) {
      const named = answers.map((answer) => (answer.kind === "retry" ? (answer.notBefore ?? 0) : 0));
      return { parcels, answers, result, sentAs, isThrottled, notBefore: Math.max(...named) || null };
    }
    const settled: Settlement[] = [];
    const [suspects, bystanders]: [Parcel[], Parcel[]] = [[], []];
    for (const [index, parcel] of parcels.entries()) {
      const answer = answers[index];
      if (!answer) throw new Error("the destination left an update without an answer");
      if (answer.kind === "split" && parcels.length > 1)
        (answer.suspect ? suspects : bystanders).push(parcel);
      else
        settled.push(
          settlementOf(parcel, answer, {
            result,
            now: clock.now(),
            retry: retryOf(parcel, answer, travelsAlone),
          }),
        );
    }
    await settle(settled);
    const half = suspects.length === parcels.length ? Math.ceil(suspects.length / 2) : suspects.length;
    const parts = [bystanders, suspects.slice(0, half), suspects.slice(half)].filter(
      (part) => part.length > 0,
    );
    return await sendParts(parts);
  };

  /** The parts of a batch that was refused whole. One that meets an outage takes the rest along into it. */
  const sendParts = async (parts: readonly Parcel[][]): Promise<Trouble | null> => {
    for (const [index, part] of parts.entries()) {
      const trouble = await send(context.access, part);
      if (!trouble) continue;
      await giveBack(parts.slice(index + 1).flat());
      return trouble;
    }
    return null;
  };

  const vendorTakesOthers = async (sentAs: number): Promise<boolean> => {
    if (lastAcceptedIn > sentAs) return true;
    if (!lastAccepted) return false;
    const { answers } = await destination.send(context.access, [updateOf(lastAccepted)]);
    return answers[0]?.kind === "accepted";
  };

  const sendApart = async ({ parcels, answers, result, sentAs }: Trouble): Promise<Trouble[]> => {
    const [only, answer] = [parcels[0], answers[0]];
    if (parcels.length === 1 && only && answer) {
      await settle([
        settlementOf(only, answer, { result, now: clock.now(), retry: retryOf(only, answer, true) }),
      ]);
      return [];
    }
    const half = Math.ceil(parcels.length / 2);
    const left: Trouble[] = [];
    for (const part of [parcels.slice(0, half), parcels.slice(half)]) {
      if (left.length > 0) {
        await giveBack(part);
        continue;
      }
      const trouble = await send(context.access, part);
      if (!trouble) continue;
      const isItsContent =
        !trouble.isThrottled && (await vendorTakesOthers(Math.max(sentAs, trouble.sentAs)));
      if (isItsContent) left.push(...(await sendApart(trouble)));
      else left.push(trouble);
    }
    return left;
  };

  return {
    sendBatch: async (claims) => {
      const parcels = claims.map(
        (claim): Parcel => ({ claim, ...destination.project(claim.invites, connection.knownFields) }),
      );
      const empty = parcels.filter(isEmpty);
      const now = clock.now();
      if (empty.length > 0) {
        await settle(
          empty.map(({ claim, warnings }) => ({ claim, warnings, now, outcome: { kind: "empty" } })),
        );
      }
      const full = parcels.filter((parcel) => !isEmpty(parcel));
      return full.length === 0 ? null : await send(withPaidSlot(context.access), full);
    },
    vendorTakesOthers: (troubles) => vendorTakesOthers(Math.max(...troubles.map(({ sentAs }) => sentAs))),
    sendApart,
    putOff: async (troubles, dueAt) => {
      const now = clock.now();
      const retry = { dueAt, counted: true, alone: false };
      for (const { parcels, answers, result } of troubles) {
        await settle(
          parcels.flatMap((parcel, index) => {
            const answer = answers[index];
            return answer ? [settlementOf(parcel, answer, { result, now, retry })] : [];
          }),
        );
      }
    },
    giveBack,
  };
}

/** The place for the first call was taken before its batch was claimed. */
function withPaidSlot(access: Access): Access {
  let isPaid = true;
  return {
    ...access,
    slot: async () => {
      if (!isPaid) await access.slot();
      isPaid = false;
    },
  };
}
