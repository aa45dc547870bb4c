import type { NeverSent } from "../../core/advice/never-sent.ts";
import type { PushState } from "../../core/push.ts";
import type { Selection, Store } from "../../store/contract/store.ts";
import { noInvite } from "../watch/no-invite.ts";
import { connectionsOf, type RerunPlan } from "./selection.ts";

/** Which pushes the log already holds shall go out again. */
export interface ReplayFilter {
  invitationIds?: readonly string[];
  email?: string;
  state?: PushState;
  /** Those that are held since the vendor's people deleted them: they are made anew. */
  heldFor?: "gone";
  since?: number;
  until?: number;
}

/** Throws `USAGE` for an invitation that the org does not have: that nothing is sent for it should be no surprise later. */
export async function planReplay(
  store: Store,
  { org, vendor, filter }: { org: string; vendor: string | undefined; filter: ReplayFilter },
): Promise<RerunPlan[]> {
  await refuseUnknownInvites(store, org, filter.invitationIds ?? []);
  const connections = await connectionsOf(store, org, vendor);
  return await Promise.all(
    connections.map(async (connection): Promise<RerunPlan> => {
      const selection: Selection = { pushes: { connectionId: connection.id, ...filter } };
      const { pending: waiting } = await store.countPushes({ ...selection, waiting: true });
      const { pending, delivered, rejected, held } = await store.countPushes(selection);
      const isSkipped = held > 0 && filter.heldFor === undefined;
      const asGone: Selection = { pushes: { connectionId: connection.id, ...filter, heldFor: "gone" } };
      return {
        connection,
        counts: {
          ...(isSkipped ? { gone: (await store.countPushes(asGone)).held } : {}),
          matched: waiting + pending + delivered + rejected + held,
          skipped: filter.heldFor === undefined ? held : 0,
          waiting,
        },
        selection,
      };
    }),
  );
}

async function refuseUnknownInvites(store: Store, org: string, ids: readonly string[]): Promise<void> {
  const unknown: string[] = [];
  for (const id of new Set(ids)) if (!(await store.invite(org, id))) unknown.push(id);
  if (unknown.length === 0) return;
  throw await noInvite(store, { org, ids: unknown });
}

/** How much of what the log holds each of these accounts was never told; counted for who found nothing to send again. */
export async function neverSent(
  store: Pick<Store, "countPushes">,
  plans: readonly RerunPlan[],
  labelOf: (vendor: string) => string,
): Promise<NeverSent[]> {
  return await Promise.all(
    plans.map(async ({ connection }) => {
      const unpushed = { connectionId: connection.id, includeInProgress: false };
      const counts = await store.countPushes({ unpushed });
      return { connection, label: labelOf(connection.vendor), n: counts.unpushed };
    }),
  );
}
