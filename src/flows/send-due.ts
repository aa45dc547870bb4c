import type { Delivery } from "./deliver.ts";
import { isThrottled, type Trouble } from "./send.ts";
import { spacingMs } from "./slots.ts";

/** Calls at once where no window bounds them: enough to keep a vendor on the same machine busy. */
const UNLIMITED_CALLS_AT_ONCE = 8;
/** The HTTP client has no more connections to one host: further calls would queue there, counted but not sent. */
const MOST_CALLS_AT_ONCE = 64;
/** How long new work may go unseen while calls are under way. */
const LOOK_EVERY_MS = 100;

/**
 * Sends until nothing is due, or a call fails as a whole; returns the calls that did. A place in the window comes
 * first and the batch after it, so that what is claimed is as fresh as can be.
 */
export async function sendAllDue(delivery: Delivery): Promise<Trouble[]> {
  const { sender } = delivery;
  const { clock, access, stop, destination } = delivery.context;
  const { rateLimit, batchSize } = destination;
  const most = Math.min(rateLimit?.calls ?? UNLIMITED_CALLS_AT_ONCE, MOST_CALLS_AT_ONCE);
  const distanceMs = rateLimit ? spacingMs(rateLimit) : 0;
  const underWay = new Set<Promise<void>>();
  const troubles: Trouble[] = [];
  const failures: unknown[] = [];
  const goesOn = () => !stop.aborted && troubles.length === 0 && failures.length === 0;
  let notBefore = 0;

  while (goesOn()) {
    if (notBefore > clock.now()) await clock.sleep(notBefore - clock.now(), stop).catch(() => {});
    if (!(await isDue(delivery))) {
      if (underWay.size === 0) break;
      await untilNews(delivery, underWay);
      continue;
    }
    if (underWay.size >= most) await Promise.race(underWay);
    await access.slot();
    if (!goesOn()) break;
    const claims = await sender.claim(batchSize);
    if (claims.length === 0) continue;
    // What comes one by one goes together soon after; full batches gain nothing by waiting.
    if (claims.length < batchSize) notBefore = clock.now() + distanceMs;
    const call = sender
      .sendBatch(claims)
      .then(async (sent) => {
        if (sent.kind !== "failed") return;
        if (isLoner(sent)) await sender.blame(sent);
        else troubles.push(sent);
      })
      .catch((error: unknown) => {
        failures.push(error);
      })
      .finally(() => underWay.delete(call));
    underWay.add(call);
  }
  await Promise.all(underWay);
  if (failures.length > 0) throw failures[0];
  return troubles;
}

export async function isDue({ context, connection }: Delivery): Promise<boolean> {
  const work = (await context.store.dueWork()).find(({ connectionId }) => connectionId === connection.id);
  return work !== undefined && work.dueAt <= context.clock.now();
}

/** Fails for its own sake, as it did before. */
function isLoner(trouble: Trouble): boolean {
  const [only, ...others] = trouble.parcels;
  return only?.claim.alone === true && others.length === 0 && !isThrottled(trouble);
}

/** Until a call ends, or it is time to look for new work: one call that hangs holds up nobody. */
async function untilNews({ context }: Delivery, underWay: ReadonlySet<Promise<void>>): Promise<void> {
  const done = new AbortController();
  const lookAgain = context.clock.sleep(LOOK_EVERY_MS, done.signal).catch(() => {});
  await Promise.race([...underWay, lookAgain]);
  done.abort();
}
