import type { Store } from "../../store/contract/store.ts";
import { connectionsOf, type RerunPlan } from "./selection.ts";

/** Which invites of the log never had a push, and shall have one now. */
export interface BackfillFilter {
  since?: number;
  until?: number;
  includeInProgress: boolean;
}

export async function planBackfill(
  store: Store,
  { org, vendor, filter }: { org: string; vendor: string | undefined; filter: BackfillFilter },
): Promise<RerunPlan[]> {
  const connections = await connectionsOf(store, org, vendor);
  return await Promise.all(
    connections.map(async (connection): Promise<RerunPlan> => {
      const selection = { unpushed: { connectionId: connection.id, ...filter } };
      const { pending: waiting } = await store.countPushes({ ...selection, waiting: true });
      const { unpushed } = await store.countPushes(selection);
      return {
        connection,
        counts: { matched: waiting + unpushed, skipped: 0, waiting },
        selection,
      };
    }),
  );
}
