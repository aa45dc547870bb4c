import { setMaxListeners } from "node:events";
import type { Connection } from "../../core/connection.ts";
import type { RateWindow, TakenSlot } from "../../core/delivery/rate-window.ts";
import type { ClaimKind, DeliveryCommand, DeliveryEvent } from "../../core/delivery/events.ts";
import type { Claim } from "../../store/contract/store.ts";
import type { DeliverContext } from "./context.ts";
import type { Ledger } from "./ledger.ts";

/** Takes what is due, together with a slot where the account has a rate window. */
export interface Claims {
  claim(command: Extract<DeliveryCommand, { kind: "claim" }>): Promise<DeliveryEvent>;
  /** One, whose slot was taken before; perhaps none. */
  claimProbe(): Promise<DeliveryEvent>;
  /** Whoever waits for a slot hears that nothing is due. */
  stop(): void;
}

interface ClaimedBatch {
  claims: readonly Claim[];
  slot: TakenSlot | null;
}

export function createClaims(
  { store, clock }: DeliverContext,
  connection: Connection,
  { ledger, window }: { ledger: Ledger; window: RateWindow | null },
): Claims {
  const connectionId = connection.id;
  let waiting = patient();
  const isDue = async (): Promise<boolean> => {
    const [work] = await store.dueWork(clock.now(), connectionId);
    return work !== undefined && work.dueAt <= clock.now();
  };
  const claimNow = async (limit: number): Promise<ClaimedBatch> => {
    const { claims } = await store.claim({ connectionId, limit, now: clock.now() });
    return { claims, slot: null };
  };
  /** Null when nothing of the kind is due, or the signal aborts while the window is full. */
  const claimInWindow = async (
    kind: ClaimKind,
    limit: number,
    signal: AbortSignal,
  ): Promise<ClaimedBatch | null> => {
    while (window && !signal.aborted) {
      const now = clock.monotonic();
      const request = { connectionId, limit, now: clock.now(), kind, window: { ...window, now } };
      const { claims, slot } = await store.claim(request);
      if (slot === null) return null;
      const { id, at } = slot;
      if (id !== null) return { claims, slot: { id, at } };
      await clock.sleep(Math.max(1, at - window.aheadMs - now), signal).catch(() => {});
    }
    return null;
  };
  const told = ({ claims, slot }: ClaimedBatch): DeliveryEvent => ({
    kind: "claimed",
    pushes: ledger.add(claims),
    at: clock.now() + Math.max(0, slot ? slot.at - clock.monotonic() : 0),
    slot,
  });
  return {
    claim: async ({ kinds, limit, isLook }) => {
      const { signal } = waiting;
      if (!window) {
        const mayClaim = (!isLook || (await isDue())) && !signal.aborted;
        return mayClaim ? told(await claimNow(limit)) : { kind: "nothing due" };
      }
      for (const kind of kinds) {
        const claimed = await claimInWindow(kind, limit, signal);
        if (claimed) return told(claimed);
      }
      return { kind: "nothing due" };
    },
    claimProbe: async () => told(await claimNow(1)),
    stop: () => {
      waiting.abort();
      waiting = patient();
    },
  };
}

/** As many claims as are asked for listen to it at once. */
function patient(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}
