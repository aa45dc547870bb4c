import type { Clock } from "../../shared/clock.ts";
import type { Settlement } from "../../store/contract/store.ts";
import type { SendResult } from "../../vendors/contract/destination.ts";
import type { Parcel } from "./parcels.ts";

/** A contact that the vendor took at that time, and what is to be noted of that. */
interface Witness {
  parcel: Parcel;
  settlement: Settlement;
  at: number;
}

/** So long the next result of the contact that serves as proof may wait for calls that need none. */
const WITNESS_MS = 10_000;

/**
 * Whether the vendor is up, where a call failed as a whole: its answers to later calls tell, or the contact that it took
 * last. That one is settled only when the next is taken: while its lease is ours nobody tells the vendor anything newer
 * about it, so it may be told again.
 */
export function createProof(
  clock: Clock,
  {
    tellAgain,
    settle,
  }: {
    tellAgain: (parcel: Parcel) => Promise<{ sentAs: number }>;
    settle: (settlement: Settlement) => Promise<void>;
  },
) {
  /** Counts calls and answers. */
  let moment = 0;
  let heardAt = 0;
  let witness: Witness | null = null;
  /** The witness on its way, one at a time; and when it was last sent in vain. */
  let asking: Promise<void> | null = null;
  let unheardAt = 0;

  /** The new one takes the place of the one before, which is to be settled. */
  const exchange = (next: Witness | null): Witness | null => {
    const before = witness;
    witness = next;
    return before;
  };
  const letGo = async () => {
    const last = exchange(null);
    if (last) await settle(last.settlement);
  };
  /** While it is told again it is nobody's to settle: a newer version of it would be overtaken. */
  const ask = async (): Promise<void> => {
    const asked = exchange(null);
    if (!asked) return;
    try {
      const { sentAs } = await tellAgain(asked.parcel);
      if (heardAt < sentAs) unheardAt = sentAs;
    } finally {
      const newer = exchange(asked);
      if (newer) await settle(newer.settlement);
    }
  };

  return {
    /** Every call goes through here. `sentAs`: its place among calls and answers. */
    listen: async (send: () => Promise<SendResult>) => {
      moment += 1;
      const sentAs = moment;
      const result = await send();
      moment += 1;
      if (result.answers.some(({ kind }) => kind !== "retry")) heardAt = moment;
      return { result, sentAs };
    },
    now: () => moment,
    /** Did the vendor answer for any record yet? */
    heard: () => heardAt > 0,
    exchange,
    letGo,
    /** Whoever fails at the same time shares one answer. */
    vendorTakesOthers: async (since: number): Promise<boolean> => {
      for (;;) {
        if (heardAt > since) return true;
        if (unheardAt > since || (!asking && !witness)) return false;
        asking ??= ask().finally(() => {
          asking = null;
        });
        await asking;
      }
    },
    /** To be called while nothing moves that may need the proof. */
    idle: async () => {
      if (witness && Math.abs(clock.now() - witness.at) >= WITNESS_MS) await letGo();
    },
  };
}
