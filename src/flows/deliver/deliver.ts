import type { Connection, Outage } from "../../core/connection.ts";
import { afterFailure, isFromAhead } from "../../core/delivery/outage.ts";
import { everyDue } from "../../core/due-times.ts";
import { isAppError } from "../../shared/errors.ts";
import { maskEmailsIn, plain } from "../../shared/text.ts";
import type { Claim } from "../../store/contract/store.ts";
import { markMustReconnect } from "../account/must-reconnect.ts";
import type { DeliverContext, DeliverReport } from "./context.ts";
import { isDue, sendAllDue } from "./send-due.ts";
import { createSender, type Delivery, isThrottled, notBeforeOf, type Trouble } from "./send.ts";

/** A disk that is full or locked has room again at any time. */
const STORE_REST_MS = 10_000;

/** When another process asks the vendor, its answer is looked for again so soon. */
const LOOK_AGAIN_MS = 1_000;

export async function deliver(context: DeliverContext, connection: Connection): Promise<DeliverReport> {
  const report: DeliverReport = { delivered: 0, rejected: 0, held: 0, retried: 0, restUntil: 0 };
  const sender = createSender(context, connection, report);
  try {
    try {
      report.restUntil = await run({ context, connection, sender, outage: connection.outage });
    } finally {
      await sender.end();
    }
  } catch (error) {
    if (isAppError(error, "RECONNECT_NEEDED")) {
      const isMarked = await markMustReconnect(context.store, connection, error);
      // What was refused are tokens of before; with those of the new consent it may go on.
      if (!isMarked) report.restUntil = context.clock.now() + LOOK_AGAIN_MS;
    } else {
      const restMs = isAppError(error, "STORE_UNAVAILABLE") ? STORE_REST_MS : context.retryEveryMs;
      report.restUntil = context.clock.now() + restMs;
      if (isAppError(error)) context.onProblem(error);
      else if (!context.access.signal.aborted) throw error;
    }
  }
  return report;
}

/** Returns until when to rest; 0 when all that is due was sent. */
async function run(delivery: Delivery): Promise<number> {
  const { sender } = delivery;
  const { stop } = delivery.context;
  let restUntil = delivery.outage ? await askWhetherItIsBack(delivery, delivery.outage) : 0;
  let suspects: readonly Trouble[] = [];
  while (restUntil === 0 && !stop.aborted && (suspects.length > 0 || (await isDue(delivery)))) {
    const troubles = await sendAllDue(delivery, suspects);
    suspects = troubles.length > 0 && (await isTheirContent(delivery, troubles)) ? troubles : [];
    if (suspects.length < troubles.length) restUntil = await rest(delivery, troubles);
    else if (delivery.outage && sender.heard()) await saveOutage(delivery, null);
  }
  return restUntil;
}

/**
 * One contact, a different one each time, since what failed is due later than what did not: once in a tick, by all
 * processes together. Where a single push alone has failed so far, the others need not wait for it.
 */
async function askWhetherItIsBack(delivery: Delivery, outage: Outage): Promise<number> {
  const { context, connection, sender } = delivery;
  const { store, clock, access, retryEveryMs } = context;
  const now = clock.now();
  if (outage.suspect === null) {
    const isAhead = isFromAhead(outage, now);
    if (isAhead) await store.hasten(connection.id, now);
    const restUntil = context.insists ? (outage.notBefore ?? 0) : outage.restUntil;
    if (now < restUntil && !isAhead) return restUntil;
    // Whoever asked first may have been killed: the next tick has its own turn.
    const last = everyDue(retryEveryMs).last(now);
    const turn = isAhead ? last : Math.max(outage.restUntil, last);
    const isOurs = context.insists || (await store.openTick(`probe ${connection.id}`, turn));
    if (!isOurs) return now + LOOK_AGAIN_MS;
  }
  await access.slot();
  for (;;) {
    const claim = await claimProbe(delivery, outage);
    if (!claim) return outage.suspect === null ? now + LOOK_AGAIN_MS : 0;
    const sent = await sender.sendBatch([claim]);
    if (sent.kind === "failed") return await rest(delivery, [sent]);
    if (sent.kind === "empty") continue;
    await saveOutage(delivery, null);
    return 0;
  }
}

/**
 * One that travels alone fails for its own sake: it is asked with only where there is no other. Nor is the suspect,
 * which goes with what is due, so that others may pass it while it hangs.
 */
async function claimProbe({ sender }: Delivery, { suspect }: Outage): Promise<Claim | undefined> {
  const loners: Claim[] = [];
  for (;;) {
    const [claim] = await sender.claim(1);
    if (claim && (claim.alone || claim.pushId === suspect)) {
      loners.push(claim);
      continue;
    }
    const probe = claim ?? (suspect === null ? loners.shift() : undefined);
    await sender.giveBack(loners);
    return probe;
  }
}

/** Either the vendor is down, or it is these batches' content: what the vendor makes of others tells. */
async function isTheirContent({ sender }: Delivery, troubles: readonly Trouble[]): Promise<boolean> {
  if (troubles.some(isThrottled)) return false;
  return await sender.vendorTakesOthers(Math.max(...troubles.map(({ sentAs }) => sentAs)));
}

/** Leaves the vendor in peace for a while; what failed has spent a try. A lone suspect waits by itself. */
async function rest(delivery: Delivery, troubles: readonly Trouble[]): Promise<number> {
  const { context, sender } = delivery;
  const { clock, random, retryEveryMs } = context;
  const outage = (await asNoted(delivery))?.outage ?? null;
  const notBefore = Math.max(0, ...troubles.map(notBeforeOf)) || null;
  const [only, ...others] = troubles.flatMap(({ parcels }) => parcels.map(({ claim }) => claim));
  const isLone = others.length === 0 && notBefore === null && !troubles.some(isThrottled);
  const suspect = isLone ? (only ?? null) : null;
  const now = clock.now();
  const reason = reasonOf(troubles);
  const after = afterFailure(outage, { now, notBefore, random, retryEveryMs, suspect, reason });
  await sender.putOff(troubles, after.restUntil);
  await saveOutage(delivery, after);
  return after.suspect === null ? after.restUntil : 0;
}

const LONGEST_REASON = 200;

function reasonOf(troubles: readonly Trouble[]): string {
  const [answer] = troubles.flatMap(({ result }) => result.answers);
  const words = answer?.kind === "retry" ? answer.reason : "";
  return maskEmailsIn(plain(words)).slice(0, LONGEST_REASON);
}

async function saveOutage(delivery: Delivery, outage: Outage | null): Promise<void> {
  const { context, connection } = delivery;
  const { store } = context;
  delivery.outage = outage;
  // A consent that came meanwhile begins anew: what failed before it keeps nobody waiting.
  if ((await asNoted(delivery))?.connectedAt !== connection.connectedAt) return;
  await store.saveConnection(connection, { outage });
}

/** The connection as all processes have noted it by now. */
async function asNoted({ context, connection }: Delivery): Promise<Connection | null> {
  return await context.store.connection(connection.id);
}
