import type { Store } from "../../store/contract/store.ts";
import { connectionsOf, type Selection } from "./selection.ts";

/** Which invites of the log never had a push, and shall have one now. */
export interface BackfillFilter {
  since?: number;
  until?: number;
  includeInProgress: boolean;
}

export async function planBackfill(
  store: Store,
  { org, vendor, filter }: { org: string; vendor: string | undefined; filter: BackfillFilter },
): Promise<Selection[]> {
  const connections = await connectionsOf(store, org, vendor);
  return await Promise.all(
    connections.map(async (connection): Promise<Selection> => {
      const selection = { connectionId: connection.id, ...filter };
      const covered = { unpushed: selection };
      const waiting = await store.countWaiting(covered);
      return {
        connection,
        counts: { matched: waiting + (await store.countUnpushed(selection)), skipped: 0, waiting },
        waiting: covered,
        page: (after, limit) => store.selectUnpushed(selection, { after, limit }),
      };
    }),
  );
}
