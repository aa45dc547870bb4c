import type { Connection } from "../../core/connection.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Store } from "../../store/contract/store.ts";

/**
 * What a consent sets free. It is noted once all of it is free: a process that dies between keeping the consent and
 * that note leaves what another one finishes, since the connection looks as if it stood.
 */
export interface ReleaseContext {
  store: Pick<Store, "release" | "mark">;
  clock: Pick<Clock, "now">;
}

/**
 * Makes due what waited for a consent. Returns how many pushes were held. While its account is not confirmed, all of it
 * waits for that.
 */
export async function releaseByConsent(
  { store, clock }: ReleaseContext,
  connection: Connection,
): Promise<number> {
  const { id } = connection;
  const waited = ["reconnect", "disconnected", "vault", "scope"] as const;
  if (!connection.isConfirmed) {
    await store.release(id, { held: waited }, clock.now());
    return 0;
  }
  const released = await store.release(id, { held: [...waited, "confirm"] }, clock.now());
  await store.release(id, { putOff: true }, clock.now());
  await noteReleased({ store }, connection);
  return released;
}

/** From now on nothing is released by the consent that the connection stands by. */
export async function noteReleased(
  { store }: Pick<ReleaseContext, "store">,
  { id, connectedAt }: Pick<Connection, "id" | "connectedAt">,
): Promise<void> {
  if (connectedAt !== null) await store.mark(id, "released", connectedAt);
}

/** Releases for those whose process died before it did. Returns how many pushes that were. */
export async function finishReleases({
  store,
  clock,
}: {
  store: ReleaseContext["store"] & Pick<Store, "connections">;
  clock: ReleaseContext["clock"];
}): Promise<number> {
  let released = 0;
  for (const connection of await store.connections()) {
    const { state, connectedAt, marks } = connection;
    if (state !== "connected" || connectedAt === null || marks.released === connectedAt) continue;
    // Whoever confirms it releases it, or leaves it to the next run.
    if (!connection.isConfirmed) continue;
    released += await releaseByConsent({ store, clock }, connection);
  }
  return released;
}
