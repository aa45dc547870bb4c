import type { Connection } from "../../core/connection.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Store } from "../../store/contract/store.ts";
import type { MissedEvent } from "../../vendors/contract/ats.ts";
import { EventRefused, type Source } from "../../vendors/contract/source.ts";
import { readEvent } from "./read-event.ts";

/** Takes what a vendor told when it was asked, as if it had sent it. Returns how many were new. */
export function createTakeMissed({
  store,
  clock,
  sources,
}: {
  store: Pick<Store, "append">;
  clock: Pick<Clock, "now">;
  sources(): Promise<readonly Source[]>;
}) {
  return async (
    missed: readonly MissedEvent[],
    { org, vendor, environment }: Connection,
  ): Promise<number> => {
    if (missed.length === 0) return 0;
    const source = (await sources()).find(({ id }) => id === vendor);
    if (!source) throw new Error(`${vendor} sends no webhooks`);
    const events = missed.flatMap(({ body, ...each }) => {
      try {
        // The vendor told it over our own connection, which vouches for it.
        const known = { ...each, org, environment, receivedAt: clock.now() };
        return [readEvent(source, Buffer.from(body), known)];
      } catch (error) {
        // What the receiver would refuse too.
        if (error instanceof EventRefused) return [];
        throw error;
      }
    });
    const results = await store.append(events);
    return results.filter(({ outcome }) => outcome === "stored").length;
  };
}
