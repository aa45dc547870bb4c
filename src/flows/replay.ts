import type { PushState } from "../core/push.ts";
import type { PushSelection, Store } from "../store/contract.ts";
import { connectionsOf, type Selection } from "./rerun.ts";

/** Which pushes the log already holds shall go out again. */
export interface ReplayFilter {
  invitationIds?: readonly string[];
  email?: string;
  state?: PushState;
  since?: number;
  until?: number;
}

export async function planReplay(
  store: Store,
  { org, vendor, filter }: { org: string; vendor: string | undefined; filter: ReplayFilter },
): Promise<Selection[]> {
  const connections = await connectionsOf(store, org, vendor);
  return await Promise.all(
    connections.map(async (connection): Promise<Selection> => {
      const selection: PushSelection = { connectionId: connection.id, ...filter };
      const covered = { pushes: selection };
      const waiting = await store.countWaiting(covered);
      const { pending, delivered, rejected, held } = await store.countPushes(selection);
      return {
        connection,
        counts: { matched: waiting + pending + delivered + rejected + held, skipped: held, waiting },
        waiting: covered,
        page: (after, limit) => store.selectPushes(selection, { after, limit }),
      };
    }),
  );
}
