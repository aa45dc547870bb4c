import type { Connection } from "../../core/connection.ts";
import type { Projection } from "../../core/push.ts";
import type { Clock } from "../../shared/clock.ts";
import { isAppError } from "../../shared/errors.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Destination } from "../../vendors/contract/destination.ts";
import type { AccountContext } from "../account/context.ts";

const SUBJECTS_PER_PAGE = 500;

/**
 * The daily snapshot of invites in progress: raises the contacts of which the destination holds something
 * else than what it would be told now. Returns how many.
 */
export async function sweep(
  {
    store,
    clock,
    destination,
    signal,
  }: {
    store: Pick<Store, "subjects" | "raise">;
    clock: Pick<Clock, "now">;
    destination: Destination;
    signal?: AbortSignal | undefined;
  },
  connection: Connection,
): Promise<number> {
  let raised = 0;
  let after: string | null = "";
  while (after !== null) {
    signal?.throwIfAborted();
    const page = await store.subjects({
      connectionId: connection.id,
      status: "in_progress",
      after,
      limit: SUBJECTS_PER_PAGE,
    });
    const differing: string[] = [];
    const current: { subject: string; carries: number }[] = [];
    for (const { subject, invites, push, carries, forgotten } of page.subjects) {
      const { projection, withheld } = destination.project(invites, connection.knownFields, forgotten);
      if (sameProjection(projection, without(push?.projection ?? {}, withheld)))
        current.push({ subject, carries });
      else differing.push(subject);
    }
    raised += await store.raise(connection.id, { subjects: differing, current }, clock.now());
    after = page.next;
  }
  return raised;
}

/** What the destination was told by invites that are gone stands, and is no difference. */
function without(projection: Projection, fields: readonly string[] = []): Projection {
  return Object.fromEntries(Object.entries(projection).filter(([name]) => !fields.includes(name)));
}

function sameProjection(a: Projection, b: Projection): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** Sweeps every connected production account. What it raised before the signal aborts stays raised. */
export async function sweepAll(
  account: Pick<AccountContext, "clock" | "destination">,
  store: Store,
  signal?: AbortSignal,
): Promise<number> {
  let raised = 0;
  for (const connection of await store.connections()) {
    if (connection.environment !== "production" || connection.account === null) continue;
    const destination = await destinationIfUsable(account, connection);
    if (destination?.subject === "contact")
      raised += await sweep({ store, clock: account.clock, destination, signal }, connection);
  }
  return raised;
}

/** Null where the org's settings are wrong, which whoever looks after its tokens says: the others are swept all the same. */
async function destinationIfUsable(
  account: Pick<AccountContext, "destination">,
  connection: Connection,
): Promise<Destination | null> {
  try {
    return await account.destination(connection);
  } catch (error) {
    if (isAppError(error, "CONFIG_INVALID")) return null;
    throw error;
  }
}
