import type { Connection } from "../../core/connection.ts";
import type { Store } from "../../store/contract/store.ts";

/** Counts what a connection was never told of, and keeps the number for `status`, whose cost must not grow with the log. */
export async function noteUnsent(store: Store, connection: Connection): Promise<number> {
  const selection = { unpushed: { connectionId: connection.id, includeInProgress: false } };
  const { unpushed: unsent } = await store.countPushes(selection);
  await store.saveConnection(connection, { unsent });
  return unsent;
}
