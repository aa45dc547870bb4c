import { type RateLimit, type RateWindow, windowOf } from "../../core/delivery/rate-window.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Store } from "../../store/contract/store.ts";

/**
 * Slots in a vendor's rolling window, shared by all processes on one store. Counted when a call is sent; the
 * window is kept one percent longer than the vendor's, and 100 ms at least, against clocks that differ and calls that
 * overtake.
 */
export interface Slots {
  /** Returns when one more call may be sent. Rejects with the signal's reason. */
  take(signal: AbortSignal): Promise<void>;
  /**
   * What an answer told of the vendor's own limit: it may lower ours, and lift what lowered it, never raise it. Of another
   * window it says nothing.
   */
  heed(told: RateLimit): Promise<void>;
}

/** How long a lower limit is believed that the vendor told; told again, it is noted again at half that time. */
const BELIEVED_MS = 10 * 60_000;

export function createSlots(
  { store, clock }: { store: Pick<Store, "takeCall" | "limitCalls">; clock: Clock },
  window: RateWindow,
): Slots {
  const { key } = window;
  let noted: { calls: number | null; at: number } | null = null;
  return {
    take: async (signal) => {
      for (;;) {
        signal.throwIfAborted();
        const now = clock.now();
        const { at, isTaken } = await store.takeCall({ ...window, now });
        const wakeAt = isTaken ? at : at - window.aheadMs;
        if (wakeAt > now) await clock.sleep(wakeAt - now, signal);
        if (isTaken) return;
      }
    },
    heed: async (told) => {
      if (windowOf(told) !== window.windowMs) return;
      const calls = told.calls < window.calls ? told.calls : null;
      const now = clock.now();
      const isKnown = noted?.calls === calls && (calls === null || now - noted.at < BELIEVED_MS / 2);
      if (isKnown) return;
      noted = { calls, at: now };
      await store.limitCalls({ key, calls, until: now + BELIEVED_MS });
    },
  };
}
