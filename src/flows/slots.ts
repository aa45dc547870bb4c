import type { Clock } from "../shared/clock.ts";
import type { Store } from "../store/contract.ts";
import type { RateLimit } from "../vendors/contract.ts";

/**
 * Places in a vendor's rolling window, shared by all processes on one store. Counted when a call is sent; the
 * window is kept longer than the vendor's: one percent against clocks that differ, and enough for a call that took
 * long to arrive when those behind it are quick, as the first ones do that open connections.
 */
export interface Slots {
  /** Returns when one more call may be sent. Rejects with the signal's reason. */
  take(signal: AbortSignal): Promise<void>;
  /** What an answer told of the vendor's own count: it may lower our limit, never raise it. */
  heed(told: { calls: number; remaining: number; windowMs: number }): Promise<void>;
}

const MARGIN = 0.01;
const LEAST_MARGIN_MS = 100;
/** How long a lower limit is believed that the vendor told; told again, it is noted again at half that time. */
const BELIEVED_MS = 10 * 60_000;

const windowOf = ({ windowMs }: RateLimit) => windowMs + Math.max(windowMs * MARGIN, LEAST_MARGIN_MS);

/** Calls so far apart never fill the window. */
export function spacingMs(limit: RateLimit): number {
  return windowOf(limit) / limit.calls;
}

export function createSlots(
  { store, clock }: { store: Pick<Store, "takeCall" | "limitCalls">; clock: Clock },
  { key, limit }: { key: string; limit: RateLimit },
): Slots {
  const windowMs = windowOf(limit);
  let noted = { calls: limit.calls, at: 0 };
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
    heed: async ({ calls }) => {
      const now = clock.now();
      const isKnown = calls === noted.calls && now - noted.at < BELIEVED_MS / 2;
      if (calls >= limit.calls || isKnown) return;
      noted = { calls, at: now };
      await store.limitCalls({ key, calls, until: now + BELIEVED_MS });
    },
  };
}

/**
 * A place is counted when it is taken, and between then and the call a claim may wait for the disk, one long, another
 * short. So a delivery also keeps its calls apart by the moments in which they really go. To be awaited before each.
 */
export function createPace(clock: Clock, limit: RateLimit | null): (signal: AbortSignal) => Promise<void> {
  if (!limit) return async () => {};
  const windowMs = windowOf(limit);
  /** The newest as many as fit into one window. */
  const sentAt: number[] = [];
  return async (signal) => {
    for (;;) {
      const oldest = sentAt.length < limit.calls ? undefined : sentAt[0];
      const waitMs = oldest === undefined ? 0 : oldest + windowMs - clock.now();
      if (waitMs <= 0) break;
      await clock.sleep(Math.max(1, waitMs), signal);
    }
    sentAt.push(clock.now());
    if (sentAt.length > limit.calls) sentAt.shift();
  };
}
