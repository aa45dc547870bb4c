import { type AppError, isAppError } from "../../shared/errors.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Vendors } from "../account/vendors.ts";
import type { DeliverReport } from "./context.ts";
import { deliver } from "./deliver.ts";

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
  const connection = await store.connection(connectionId);
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
