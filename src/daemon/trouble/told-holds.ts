import type { Connection } from "../../core/connection.ts";
import type { HeldCause } from "../../core/push.ts";
import type { Log } from "../../shared/log.ts";
import { maskEmailsIn } from "../../shared/text.ts";
import type { Store } from "../../store/contract/store.ts";

/** Tells the journal what holds results back, with what to type: once for each time that it begins, not for each push. */
export interface ToldHolds {
  /** After a delivery: do results wait for something that the account lacks? */
  look(connectionId: number, counts: { held: number; delivered: number }): Promise<void>;
}

const MESSAGES: readonly (readonly [HeldCause, string])[] = [
  ["property", "results wait for a property"],
  ["scope", "results wait for a scope"],
  ["candidate", "results wait for somebody who says whose they are"],
];

export function createToldHolds(store: Pick<Store, "connection" | "countPushes">, log: Log): ToldHolds {
  const told = new Map<number, Set<HeldCause>>();
  return {
    look: async (connectionId, { held, delivered }) => {
      const before = told.get(connectionId);
      if (held === 0 && (delivered === 0 || before === undefined)) return;
      const { heldFor } = await store.countPushes({ pushes: { connectionId } }, { causes: true });
      const now = new Set<HeldCause>();
      for (const [cause, message] of MESSAGES) {
        const n = heldFor[cause] ?? 0;
        if (n === 0) continue;
        now.add(cause);
        if (!before?.has(cause)) log.warn(message, { held: n, ...(await factsOf(store, connectionId)) });
      }
      if (now.size > 0) told.set(connectionId, now);
      else told.delete(connectionId);
    },
  };
}

/** The store, which tells of each connection that from now on has to be connected again, whoever finds it. */
export function tellingLostLogins(store: Store, log: Log): Store {
  return {
    ...store,
    hold: async (connectionId, request) => {
      const held = await store.hold(connectionId, request);
      if (held !== null && request.cause === "reconnect")
        log.warn("the login is lost: results wait", { held, ...(await factsOf(store, connectionId)) });
      return held;
    },
  };
}

/** Whose it is, and the banner: it names the cause and what to type. What is held is, though they cannot be read. */
async function factsOf(store: Pick<Store, "connection">, connectionId: number) {
  const connection = await store.connection(connectionId).catch(() => null);
  const { org, vendor, environment, banner }: Partial<Connection> = connection ?? {};
  return {
    org: org ?? null,
    vendor: vendor ?? null,
    environment: environment ?? null,
    reason: banner ? maskEmailsIn(banner) : null,
  };
}
