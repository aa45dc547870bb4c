import type { Connection } from "../core/connection.ts";
import { afterFailure, isDegraded, type Outage } from "../core/outage.ts";
import type { Clock } from "../shared/clock.ts";
import { isAppError } from "../shared/errors.ts";
import type { Claim, Store } from "../store/contract.ts";
import type { Access, Destination } from "../vendors/contract.ts";
import { markMustReconnect } from "./must-reconnect.ts";
import { createSender, type Sender, type Trouble } from "./send.ts";

/**
 * Brings what is due to one connection's account: as many calls at once as the vendor's window allows. A vendor
 * that fails is left in peace, and asked with one contact whether it is back.
 */
export interface DeliverReport {
  delivered: number;
  rejected: number;
  held: number;
  retried: number;
  /** Nothing can be delivered before this time, ms since the epoch; 0 when nothing stands in the way. */
  restUntil: number;
}

export interface DeliverContext {
  store: Pick<Store, "claim" | "settle" | "hold" | "saveConnection" | "dueWork" | "openTick">;
  clock: Clock;
  destination: Destination;
  access: Access;
  random: () => number;
  retryEveryMs: number;
  /** No further call once it aborts; `access.signal` cuts off those under way. */
  stop: AbortSignal;
}

/** Calls at once where no window bounds them: enough to keep a vendor on the same machine busy. */
const UNLIMITED_CALLS_AT_ONCE = 8;

export async function deliver(context: DeliverContext, connection: Connection): Promise<DeliverReport> {
  const report: DeliverReport = { delivered: 0, rejected: 0, held: 0, retried: 0, restUntil: 0 };
  const sender = createSender(context, connection, report);
  try {
    if (connection.outage)
      report.restUntil = await askWhetherItIsBack(context, connection, connection.outage, sender);
    while (report.restUntil === 0 && !context.stop.aborted && (await isDue(context, connection))) {
      const troubles = await sendAllDue(context, connection, sender);
      report.restUntil = await settleTroubles(context, connection, sender, troubles);
    }
    return report;
  } catch (error) {
    report.restUntil = context.clock.now() + context.retryEveryMs;
    if (isAppError(error, "RECONNECT_NEEDED"))
      await markMustReconnect(context.store, context.destination, connection);
    else if (!context.access.signal.aborted && !isAppError(error)) throw error;
    return report;
  }
}

/** Sends until nothing is due, or a call fails as a whole. Returns the calls that did. */
async function sendAllDue(
  context: DeliverContext,
  connection: Connection,
  sender: Sender,
): Promise<Trouble[]> {
  const { rateLimit, batchSize } = context.destination;
  const most = rateLimit?.calls ?? UNLIMITED_CALLS_AT_ONCE;
  const spacingMs = rateLimit ? rateLimit.windowMs / rateLimit.calls : 0;
  const underWay = new Set<Promise<void>>();
  const troubles: Trouble[] = [];
  const failures: unknown[] = [];
  let notBefore = 0;

  while (!context.stop.aborted && troubles.length === 0 && failures.length === 0) {
    if (underWay.size >= most) await Promise.race(underWay);
    const claims = await claimWhenAllowed(context, connection, notBefore);
    if (claims.length === 0) {
      if (underWay.size === 0) break;
      await Promise.race(underWay);
      continue;
    }
    // Small batches, so far apart, can never fill the window; full ones may go at once.
    if (claims.length < batchSize) notBefore = context.clock.now() + spacingMs;
    const call = sender
      .sendBatch(claims)
      .then((trouble) => {
        if (trouble) troubles.push(trouble);
      })
      .catch((error: unknown) => {
        failures.push(error);
      })
      .finally(() => underWay.delete(call));
    underWay.add(call);
  }
  await Promise.all(underWay);
  if (failures.length > 0) {
    await sender.giveBack(troubles.flatMap(({ parcels }) => parcels));
    throw failures[0];
  }
  return troubles;
}

/** Waits for its place in the window first, so that what is claimed is as fresh as can be. */
async function claimWhenAllowed(
  context: DeliverContext,
  connection: Connection,
  notBefore: number,
): Promise<Claim[]> {
  const { clock, access, stop, store, destination } = context;
  if (!(await isDue(context, connection))) return [];
  const waitMs = notBefore - clock.now();
  if (waitMs > 0) await clock.sleep(waitMs, stop).catch(() => {});
  await access.slot();
  if (stop.aborted) return [];
  return await store.claim({ connectionId: connection.id, limit: destination.batchSize, now: clock.now() });
}

async function isDue({ store, clock }: DeliverContext, connection: Connection): Promise<boolean> {
  const work = (await store.dueWork()).find(({ connectionId }) => connectionId === connection.id);
  return work !== undefined && work.dueAt <= clock.now();
}

/**
 * One contact, a different one each time, since what failed is due later than what did not. While degraded once a
 * tick, by all processes together. Returns until when to rest; 0 when the vendor is back.
 */
async function askWhetherItIsBack(
  context: DeliverContext,
  connection: Connection,
  outage: Outage,
  sender: Sender,
): Promise<number> {
  const { store, clock, access, retryEveryMs } = context;
  const now = clock.now();
  if (now < outage.restUntil) return outage.restUntil;
  if (isDegraded(outage)) {
    const tick = Math.floor(now / retryEveryMs) * retryEveryMs;
    if (!(await store.openTick(`probe ${connection.id}`, tick))) return tick + retryEveryMs;
  }
  await access.slot();
  const claims = await store.claim({ connectionId: connection.id, limit: 1, now: clock.now() });
  if (claims.length === 0) return 0;
  const trouble = await sender.sendBatch(claims);
  if (trouble) return await rest(context, connection, sender, { outage, troubles: [trouble] });
  await saveOutage(context, connection, null);
  return 0;
}

/** Either the vendor is down, or it is these batches' content: that is what one more contact tells. */
async function settleTroubles(
  context: DeliverContext,
  connection: Connection,
  sender: Sender,
  troubles: readonly Trouble[],
): Promise<number> {
  if (troubles.length === 0) return 0;
  const isTheirContent =
    troubles.every(({ isThrottled }) => !isThrottled) && (await sender.vendorTakesOthers(troubles));
  if (!isTheirContent) return await rest(context, connection, sender, { outage: null, troubles });
  for (const [index, trouble] of troubles.entries()) {
    const left = await sender.sendApart(trouble);
    if (left.length === 0) continue;
    // It stopped taking anything meanwhile.
    return await rest(context, connection, sender, {
      outage: null,
      troubles: [...left, ...troubles.slice(index + 1)],
    });
  }
  return 0;
}

/** Leaves the vendor in peace for a while. What failed has spent a try. */
async function rest(
  context: DeliverContext,
  connection: Connection,
  sender: Sender,
  { outage, troubles }: { outage: Outage | null; troubles: readonly Trouble[] },
): Promise<number> {
  const { clock, random, retryEveryMs } = context;
  const named = troubles.map(({ notBefore }) => notBefore ?? 0);
  const notBefore = Math.max(0, ...named) || null;
  const after = afterFailure(outage, { now: clock.now(), notBefore, random, retryEveryMs });
  await sender.putOff(troubles, after.restUntil);
  await saveOutage(context, connection, after);
  return after.restUntil;
}

async function saveOutage(
  { store, destination }: DeliverContext,
  connection: Connection,
  outage: Outage | null,
): Promise<void> {
  await store.saveConnection({ ...connection, subject: destination.subject }, { outage });
}
