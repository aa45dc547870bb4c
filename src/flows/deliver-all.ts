import type { Connection, ConnectionName } from "../core/connection.ts";
import type { Clock } from "../shared/clock.ts";
import type { Config } from "../shared/config.ts";
import type { Store } from "../store/contract.ts";
import type { Access, Destination } from "../vendors/contract.ts";
import { type DeliverReport, deliver } from "./deliver.ts";

/** What delivering needs of the opened program: vendors, and calls to their accounts. */
export interface Vendors {
  clock: Clock;
  config: Config;
  destination(of: ConnectionName): Promise<Destination>;
  access(connection: Connection, options: { store: Store; signal: AbortSignal }): Promise<Access>;
}

/** Delivers what is due for one connection. `stop` ends it between calls, `abort` cuts off the calls under way. */
export async function deliverTo(
  vendors: Vendors,
  store: Store,
  { connectionId, stop, abort }: { connectionId: number; stop: AbortSignal; abort: AbortSignal },
): Promise<DeliverReport> {
  const connection = (await store.connections()).find(({ id }) => id === connectionId);
  if (!connection) throw new Error(`there is no connection ${connectionId}`);
  const [destination, access] = await Promise.all([
    vendors.destination(connection),
    vendors.access(connection, { store, signal: abort }),
  ]);
  const { clock, config } = vendors;
  const retryEveryMs = config["schedule.retry_every"];
  return deliver({ store, clock, destination, access, random: Math.random, retryEveryMs, stop }, connection);
}

/** Delivers all that is due now, one connection after the other. */
export async function deliverAll(
  vendors: Vendors,
  store: Store,
  signal: AbortSignal,
): Promise<Omit<DeliverReport, "restUntil">> {
  const total = { delivered: 0, rejected: 0, held: 0, retried: 0 };
  for (const { connectionId, dueAt } of await store.dueWork()) {
    if (dueAt > vendors.clock.now()) continue;
    const report = await deliverTo(vendors, store, { connectionId, stop: signal, abort: signal });
    total.delivered += report.delivered;
    total.rejected += report.rejected;
    total.held += report.held;
    total.retried += report.retried;
  }
  return total;
}
