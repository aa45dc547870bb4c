import type { Connection, ConnectionName } from "../../core/connection.ts";
import { HELD_CAUSES } from "../../core/push.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Config } from "../../shared/config.ts";
import { type AppError, isAppError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { HeldCauses, Store } from "../../store/contract/store.ts";
import type { Access, Destination } from "../../vendors/contract.ts";
import { finishReleases } from "../connect/consent-release.ts";
import { leftOverError } from "../../core/advice/left-over.ts";
import { releaseFromVault } from "../account/vault-trouble.ts";
import { type DeliverReport, deliver } from "../deliver/deliver.ts";

/** What delivering needs of the opened program: vendors, and calls to their accounts. */
export interface Vendors {
  clock: Clock;
  config: Config;
  log: Log;
  destination(of: ConnectionName): Promise<Destination>;
  access(connection: Connection, options: { store: Store; signal: AbortSignal }): Promise<Access>;
}

export interface DeliverOptions {
  connectionId: number;
  /** Ends it between calls. */
  stop: AbortSignal;
  /** Cuts off the calls under way. */
  abort: AbortSignal;
  /** Somebody wants it tried now, also where the vendor is left in peace. */
  insists?: boolean;
  /** What only a person can mend: noted unless the caller has a better use for it. */
  onProblem?: (problem: AppError) => void;
}

/** Delivers what is due for one connection. */
export async function deliverTo(
  vendors: Vendors,
  store: Store,
  { connectionId, stop, abort, insists = false, onProblem }: DeliverOptions,
): Promise<DeliverReport> {
  const connection = (await store.connections()).find(({ id }) => id === connectionId);
  if (!connection) throw new Error(`there is no connection ${connectionId}`);
  const { clock, config, log } = vendors;
  const retryEveryMs = config["schedule.retry_every"];
  const noted = ({ message }: AppError) =>
    log.warn("cannot deliver", { connection: connectionId, reason: message });
  const tell = onProblem ?? noted;
  try {
    const [destination, access] = await Promise.all([
      vendors.destination(connection),
      vendors.access(connection, { store, signal: abort }),
    ]);
    const context = { store, clock, destination, access, random: Math.random, retryEveryMs, insists, stop };
    return await deliver({ ...context, onProblem: tell }, connection);
  } catch (error) {
    // What is wrong with one org's settings must not end a service that delivers for all.
    if (!isAppError(error, "CONFIG_INVALID")) throw error;
    tell(error);
    return { delivered: 0, rejected: 0, held: 0, retried: 0, restUntil: clock.now() + retryEveryMs };
  }
}

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
