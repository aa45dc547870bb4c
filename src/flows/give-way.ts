import type { Connection } from "../core/connection.ts";
import type { Clock } from "../shared/clock.ts";
import type { Store } from "../store/contract.ts";

/** While results go out, so many may wait for their turn: several looks' worth for the fastest delivery. */
export const FAR_AHEAD = 3_000;
const LOOK_AGAIN_MS = 100;

/**
 * To queue and to deliver want the same disk, and a rate window that was filled slowly stays slow: each later window
 * repeats its spacing. So whoever queues waits, before each page, while results go out and enough are queued. When
 * the window is full, or nobody delivers, it catches up.
 */
export function createGiveWay(
  { store, clock }: { store: Pick<Store, "attempts" | "overview">; clock: Clock },
  { id, org, vendor }: Connection,
): (signal: AbortSignal) => Promise<void> {
  const lastAttempt = async () => (await store.attempts({ org, vendor, limit: 1 }))[0]?.id ?? 0;
  const waiting = async () => {
    const { connections } = await store.overview(org, clock.now());
    return connections.find(({ connection }) => connection.id === id)?.pushes.pending ?? 0;
  };
  let seen: number | null = null;
  return async (signal) => {
    for (;;) {
      const last = await lastAttempt();
      const goesOut = seen !== null && last !== seen;
      seen = last;
      if (!goesOut || (await waiting()) < FAR_AHEAD) return;
      await clock.sleep(LOOK_AGAIN_MS, signal);
    }
  };
}
