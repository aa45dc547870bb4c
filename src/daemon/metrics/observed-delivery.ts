import type { Store } from "../../store/contract/store.ts";

/** The store as one delivery is to have it: tells of each push that reached its vendor for how long it was undelivered. */
export function observedDelivery(store: Store, delivered: (undeliveredMs: number) => void): Store {
  const pendingSince = new Map<number, number>();
  return {
    ...store,
    claim: async (request) => {
      const claimed = await store.claim(request);
      for (const { pushId, pendingSince: since } of claimed.claims)
        if (since !== null) pendingSince.set(pushId, since);
      return claimed;
    },
    settle: async (settlements) => {
      await store.settle(settlements);
      for (const { claim, outcome, now } of settlements) {
        const since = pendingSince.get(claim.pushId);
        pendingSince.delete(claim.pushId);
        if (outcome.kind === "delivered" && since !== undefined) delivered(Math.max(0, now - since));
      }
    },
  };
}
