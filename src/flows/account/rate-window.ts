import {
  type RateLimit,
  type RateWindow,
  type TakenSlot,
  windowOf,
} from "../../core/delivery/rate-window.ts";
import type { Clock } from "../../shared/clock.ts";
import { isAppError } from "../../shared/errors.ts";
import type { Store } from "../../store/contract/store.ts";
import type { CountedCall } from "../../vendors/contract/access.ts";

/** Slots in a vendor's rolling window, shared by all processes on one store. */
export interface Slots {
  /** Returns a slot for one more call, perhaps a little ahead of its time. Rejects with the signal's reason. */
  take(signal: AbortSignal): Promise<TakenSlot>;
  /** Returns when the slot's call may go. Rejects with the signal's reason, and the slot is free. */
  use(slot: TakenSlot, signal: AbortSignal): Promise<CountedCall>;
  /** Its call does not go. */
  free(slot: TakenSlot): Promise<void>;
  /** Counts a call that went without a slot, where nobody knew yet in which window. */
  note(answeredAt: number): Promise<void>;
  /**
   * What an answer told of the vendor's own limit: it may lower ours, and lift what lowered it, never raise it. Of another
   * window it says nothing.
   */
  heed(told: RateLimit): Promise<void>;
}

export type SlotStore = Pick<Store, "takeCall" | "endCall" | "limitCalls">;

export function createSlots(
  { store, clock }: { store: SlotStore; clock: Pick<Clock, "monotonic" | "sleep"> },
  window: RateWindow,
): Slots {
  const { key, windowMs, aheadMs } = window;
  /** Ended while the store could not write; until it can, they count as open. */
  const unwritten = new Map<number, number>();
  const end = async (id: number, answeredAt: number): Promise<void> => {
    try {
      await store.endCall(id, answeredAt);
      unwritten.delete(id);
    } catch (error) {
      // What the vendor answered must not be lost for it.
      if (!isAppError(error, "STORE_UNAVAILABLE")) throw error;
      unwritten.set(id, answeredAt);
    }
  };
  const free = (slot: TakenSlot) => end(slot.id, slot.at - windowMs);
  const ask = async () => {
    for (const [id, answeredAt] of unwritten) await end(id, answeredAt);
    return await store.takeCall({ ...window, now: clock.monotonic() });
  };
  let noted: { calls: number | null } | null = null;
  return {
    take: async (signal) => {
      for (;;) {
        signal.throwIfAborted();
        const { id, at } = await ask();
        if (id !== null) return { id, at };
        await clock.sleep(Math.max(1, at - aheadMs - clock.monotonic()), signal);
      }
    },
    use: async (slot, signal) => {
      try {
        signal.throwIfAborted();
        for (let ms = slot.at - clock.monotonic(); ms > 0; ms = slot.at - clock.monotonic())
          await clock.sleep(ms, signal);
      } catch (error) {
        await free(slot);
        throw error;
      }
      return { ended: () => end(slot.id, clock.monotonic()) };
    },
    free,
    note: async (answeredAt) => {
      const { id } = await ask();
      if (id !== null) await end(id, answeredAt);
    },
    heed: async (told) => {
      if (windowOf(told) !== windowMs) return;
      const calls = told.calls < window.calls ? told.calls : null;
      if (noted?.calls === calls) return;
      await store.limitCalls({ key, calls });
      noted = { calls };
    },
  };
}

/** The slot of one more call, from when it may go. */
export async function countedCall(slots: Slots | null, signal: AbortSignal): Promise<CountedCall> {
  return slots === null ? UNCOUNTED : await slots.use(await slots.take(signal), signal);
}

export const UNCOUNTED: CountedCall = { ended: async () => {} };
