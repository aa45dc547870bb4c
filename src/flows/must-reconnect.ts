import type { Connection } from "../core/connection.ts";
import type { Store } from "../store/contract.ts";
import type { Destination } from "../vendors/contract.ts";

/** The vendor no longer takes our tokens: nothing is sent, nothing is lost, and `connect` releases all of it. */
export async function markMustReconnect(
  store: Pick<Store, "saveConnection" | "hold">,
  destination: Destination,
  connection: Connection,
): Promise<void> {
  await store.saveConnection(
    { ...connection, subject: destination.subject },
    {
      state: "must_reconnect",
      banner: `must reconnect: ${destination.label} no longer accepts our tokens. Run: jc-integrations connect ${connection.vendor} --org ${connection.org}`,
    },
  );
  await store.hold(connection.id, "reconnect");
}
