import type { Connection } from "../core/connection.ts";
import type { Store } from "../store/contract.ts";
import type { Destination } from "../vendors/contract.ts";

/**
 * The vendor no longer takes our tokens: nothing is sent, nothing is lost, and `connect` releases all of it. False, and
 * nothing is changed, where a consent or a `disconnect` came meanwhile: the refusal was about tokens of before.
 */
export async function markMustReconnect(
  store: Pick<Store, "holdConnected">,
  destination: Destination,
  { id, org, vendor, connectedAt }: Connection,
): Promise<boolean> {
  const held = await store.holdConnected(id, {
    cause: "reconnect",
    connectedAt,
    changes: {
      state: "must_reconnect",
      banner: `must reconnect: ${destination.label} no longer accepts our tokens. Run: jc-integrations connect ${vendor} --org ${org}`,
    },
  });
  return held !== null;
}
