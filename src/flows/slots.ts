import type { Clock } from "../shared/clock.ts";
import type { Store } from "../store/contract.ts";
import type { RateLimit } from "../vendors/contract.ts";

/**
 * Places in a vendor's rolling window, shared by all processes on one store. Counted when a call is sent; the
 * window is kept one percent longer than the vendor's, against clocks that differ and calls that overtake.
 */
export interface Slots {
  /** Returns when one more call may be sent. Rejects with the signal's reason. */
  take(signal: AbortSignal): Promise<void>;
  /** What an answer told of the vendor's own count: it may lower our limit, never raise it. */
  heed(told: { calls: number; remaining: number; windowMs: number }): Promise<void>;
}

const MARGIN = 1.01;
/** How long a lower limit that the vendor told is believed. */
const BELIEVED_MS = 10 * 60_000;

export function createSlots(
  { store, clock }: { store: Pick<Store, "takeCall" | "limitCalls">; clock: Clock },
  { key, limit }: { key: string; limit: RateLimit },
): Slots {
  const windowMs = limit.windowMs * MARGIN;
  let believed = limit.calls;
  return {
    take: async (signal) => {
      for (;;) {
        signal.throwIfAborted();
        const now = clock.now();
        const freeAt = await store.takeCall({ key, calls: limit.calls, windowMs, now });
        if (freeAt === null) return;
        await clock.sleep(Math.max(1, freeAt - now), signal);
      }
    },
    heed: async (told) => {
      const now = clock.now();
      if (told.calls < believed) {
        believed = told.calls;
        await store.limitCalls({ key, calls: told.calls, until: now + BELIEVED_MS });
      }
    },
  };
}
