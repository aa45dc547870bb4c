import type { Connection, ConnectionName } from "../core/connection.ts";
import type { Clock } from "../shared/clock.ts";
import type { Config } from "../shared/config.ts";
import { type AppError, isAppError } from "../shared/errors.ts";
import type { Log } from "../shared/log.ts";
import type { Store } from "../store/contract.ts";
import type { Access, Destination } from "../vendors/contract.ts";
import { finishReleases } from "./consent-release.ts";
import { releaseFromVault } from "./vault-trouble.ts";
import { type DeliverReport, deliver } from "./deliver.ts";

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
  /** What only a person can mend: noted unless the caller has a better use for it. */
  onProblem?: (problem: AppError) => void;
}

/** Delivers what is due for one connection. */
export async function deliverTo(
  vendors: Vendors,
  store: Store,
  { connectionId, stop, abort, onProblem }: DeliverOptions,
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
    const context = { store, clock, destination, access, random: Math.random, retryEveryMs, stop };
    return await deliver({ ...context, onProblem: tell }, connection);
  } catch (error) {
    // What is wrong with one org's settings must not end a service that delivers for all.
    if (!isAppError(error, "CONFIG_INVALID")) throw error;
    tell(error);
    return { delivered: 0, rejected: 0, held: 0, retried: 0, restUntil: clock.now() + retryEveryMs };
  }
}

/** Delivers all that is due now, to all connections at once. Throws what only a person can mend, at the end. */
export async function deliverAll(
  vendors: Vendors,
  store: Store,
  signal: AbortSignal,
): Promise<Omit<DeliverReport, "restUntil">> {
  await finishReleases({ store, clock: vendors.clock });
  const unreadable = await releaseFromVault(vendors, store, { signal });
  const problems: AppError[] = unreadable ? [unreadable] : [];
  const due = (await store.dueWork()).filter(({ dueAt }) => dueAt <= vendors.clock.now());
  const onProblem = (problem: AppError) => problems.push(problem);
  const ended = await Promise.allSettled(
    due.map(({ connectionId }) =>
      deliverTo(vendors, store, { connectionId, stop: signal, abort: signal, onProblem }),
    ),
  );
  const total = { delivered: 0, rejected: 0, held: 0, retried: 0 };
  for (const each of ended) {
    if (each.status === "rejected") throw each.reason;
    total.delivered += each.value.delivered;
    total.rejected += each.value.rejected;
    total.held += each.value.held;
    total.retried += each.value.retried;
  }
  signal.throwIfAborted();
  if (problems.length > 0) throw problems[0];
  return total;
}
