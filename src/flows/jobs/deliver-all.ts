import { leftOverError } from "../../core/advice/left-over.ts";
import { HELD_CAUSES, type HeldCauses } from "../../core/push.ts";
import type { AppError } from "../../shared/errors.ts";
import type { Store } from "../../store/contract/store.ts";
import { releaseFromVault } from "../account/vault-trouble.ts";
import type { Vendors } from "../account/vendors.ts";
import { finishReleases } from "../connect/consent-release.ts";
import type { DeliverReport } from "../deliver/context.ts";
import { deliverTo } from "../deliver/deliver-to.ts";

export interface AllReport extends Omit<DeliverReport, "restUntil"> {
  /** Of all connections, whatever they wait for. */
  pending: number;
  /** Why not all was delivered; null when it was, or what is left waits for its time. */
  problem: AppError | null;
}

/** Delivers all that waits, its time come or not, to all connections at once. */
export async function deliverAll(vendors: Vendors, store: Store, signal: AbortSignal): Promise<AllReport> {
  const { clock } = vendors;
  await finishReleases({ store, clock });
  const unreadable = await releaseFromVault(vendors, store, { signal });
  const problems: AppError[] = unreadable ? [unreadable] : [];
  const onProblem = (problem: AppError) => problems.push(problem);
  const due = await store.dueWork(clock.now());
  const ended = await Promise.allSettled(
    due.map(async ({ connectionId }) => {
      const before = await store.heldCauses(connectionId);
      await store.hasten(connectionId, clock.now());
      const options = { connectionId, stop: signal, abort: signal, insists: true, onProblem };
      const report = await deliverTo(vendors, store, options);
      // A connection that must reconnect holds all at once, beyond what was tried.
      return { connectionId, report, causes: grown(before, await store.heldCauses(connectionId)) };
    }),
  );
  const total = { delivered: 0, rejected: 0, held: 0, retried: 0 };
  const tried = new Set<number>();
  for (const each of ended) {
    if (each.status === "rejected") throw each.reason;
    const { connectionId, report, causes } = each.value;
    total.delivered += report.delivered;
    total.rejected += report.rejected;
    total.retried += report.retried;
    if (report.retried > 0) tried.add(connectionId);
    total.held += Object.values(causes).reduce((sum, n) => sum + n, 0);
  }
  signal.throwIfAborted();
  const connections = await store.connections();
  const waiting = new Set((await store.dueWork(clock.now())).map(({ connectionId }) => connectionId));
  const resting = connections.filter(({ id, outage }) => waiting.has(id) && (outage || tried.has(id)));
  // Also what was held before: who types this again shall not read that all is well. To disconnect was somebody's wish.
  const heldBy = await Promise.all(
    connections.map(async (connection) => {
      const { disconnected: _, ...causes } = await store.heldCauses(connection.id);
      return { connection, causes };
    }),
  );
  const overviews = await Promise.all((await store.orgs()).map((org) => store.overview(org, clock.now())));
  const pending = overviews
    .flatMap((overview) => overview.connections)
    .reduce((sum, { pushes }) => sum + pushes.pending, 0);
  const problem = problems[0] ?? leftOverError({ rejected: total.rejected, held: heldBy, resting });
  return { ...total, pending, problem };
}

function grown(before: HeldCauses, after: HeldCauses): HeldCauses {
  const rows = HELD_CAUSES.map((cause) => [cause, (after[cause] ?? 0) - (before[cause] ?? 0)] as const);
  return Object.fromEntries(rows.filter(([, n]) => n > 0));
}
