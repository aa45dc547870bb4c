import type { Connection } from "../../core/connection.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Destination } from "../../vendors/contract/destination.ts";

/** Counts what a connection was never told of, and keeps the number for `status`, whose cost must not grow with the log. */
export async function noteUnsent(
  store: Store,
  connection: Connection,
  { subject }: Pick<Destination, "subject">,
): Promise<number> {
  const unsent = await store.countUnpushed({ connectionId: connection.id, includeInProgress: false });
  await store.saveConnection({ ...connection, subject }, { unsent });
  return unsent;
}
