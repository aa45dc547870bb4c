import type { Connection } from "../../core/connection.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Store } from "../../store/contract/store.ts";

/** While results go out, so many may wait for their turn: two looks' worth for the fastest delivery. */
export const FAR_AHEAD = 1_000;
const LOOK_AGAIN_MS = 25;

/**
 * To queue and to deliver want the same disk, and a rate window that was filled slowly stays slow: each later window
 * repeats its spacing. So whoever queues waits, before each page, while results go out and enough are queued. When
 * the window is full, or nobody delivers, it catches up.
 */
export function createGiveWay(
  { store, clock }: { store: Pick<Store, "countPushes" | "connection">; clock: Clock },
  { id }: Connection,
): (signal: AbortSignal) => Promise<void> {
  const look = async () => {
    const { pending: waiting } = await store.countPushes({ pushes: { connectionId: id } });
    const connection = await store.connection(id);
    return { waiting, lastSyncAt: connection?.lastSyncAt ?? null };
  };
  let seen: { lastSyncAt: number | null } | null = null;
  return async (signal) => {
    for (;;) {
      const now = await look();
      const goesOut = seen !== null && now.lastSyncAt !== seen.lastSyncAt;
      seen = now;
      if (!goesOut || now.waiting < FAR_AHEAD) return;
      await clock.sleep(LOOK_AGAIN_MS, signal);
    }
  };
}
