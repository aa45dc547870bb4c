import type { Claim } from "../store/contract.ts";
import type { Delivery } from "./deliver.ts";
import { isThrottled, type Trouble } from "./send.ts";
import { spacingMs, windowFor } from "./slots.ts";

/** Calls at once where no window bounds them: enough to keep a vendor on the same machine busy. */
const UNLIMITED_CALLS_AT_ONCE = 8;
/** The HTTP client has no more connections to one host: further calls would queue there, counted but not sent. */
const MOST_CALLS_AT_ONCE = 64;
/** How long new work may go unseen while calls are under way. */
const LOOK_EVERY_MS = 100;

/**
 * Sends until nothing is due, or a call fails as a whole; returns the calls that did. A batch is claimed together with
 * its place in the window, so that what is sent is as fresh as can be. The next one is asked for ahead, so that the
 * store and this thread work at the same time: where no window counts as soon as a full one is answered.
 */
export async function sendAllDue(delivery: Delivery): Promise<Trouble[]> {
  const { sender } = delivery;
  const { clock, stop, destination } = delivery.context;
  const { rateLimit, batchSize } = destination;
  const most = Math.min(rateLimit?.calls ?? UNLIMITED_CALLS_AT_ONCE, MOST_CALLS_AT_ONCE);
  const window = windowFor(destination, delivery.connection);
  const distanceMs = rateLimit ? spacingMs(rateLimit) : 0;
  /** Until they are settled. */
  const underWay = new Set<Promise<void>>();
  let unanswered = 0;
  /** Asked for, and not sent yet. */
  const ahead: Promise<Batch>[] = [];
  /** Nobody waits for a place any more. */
  const over = new AbortController();
  const troubles: Trouble[] = [];
  const failures: unknown[] = [];
  const goesOn = () => !stop.aborted && troubles.length === 0 && failures.length === 0;
  let notBefore = 0;

  const take = async (): Promise<Batch> => {
    if (window) return await sender.claimInWindow(batchSize, { window, signal: over.signal });
    return (await isDue(delivery)) && goesOn() ? await sender.claim(batchSize) : null;
  };
  /** An empty batch, too, says that nothing is due. */
  const askAhead = () => {
    const batch = window ? take() : sender.claim(batchSize);
    ahead.push(batch);
    // Its failure is heard of where it is awaited, which may be later.
    batch.catch(() => {});
  };
  const send = async (claims: readonly Claim[]): Promise<void> => {
    const isFull = claims.length === batchSize;
    unanswered += 1;
    let isAnswered = false;
    const onAnswer = () => {
      if (isAnswered) return;
      isAnswered = true;
      unanswered -= 1;
      // It comes with the commit that settles this one.
      if (isFull && !rateLimit && goesOn()) askAhead();
    };
    try {
      const sent = await sender.sendBatch(claims, onAnswer);
      if (sent.kind !== "failed") return;
      if (isLoner(sent)) await sender.blame(sent);
      else troubles.push(sent);
    } catch (error) {
      failures.push(error);
    } finally {
      if (!isAnswered) unanswered -= 1;
    }
  };

  while (goesOn()) {
    if (notBefore > clock.now()) await clock.sleep(notBefore - clock.now(), stop).catch(() => {});
    if (ahead.length === 0 && unanswered >= most) await Promise.race(underWay);
    const claims = await (ahead.shift() ?? take());
    if (claims === null) {
      if (underWay.size === 0) break;
      await untilNews(delivery, underWay);
      continue;
    }
    if (!goesOn()) {
      await sender.giveBack(claims);
      break;
    }
    if (claims.length === 0) continue;
    // What comes one by one goes together soon after; full batches gain nothing by waiting.
    if (claims.length < batchSize) notBefore = clock.now() + distanceMs;
    // The store claims the next one while this one is projected.
    if (window && claims.length === batchSize && unanswered + 1 < most) askAhead();
    const call = send(claims).finally(() => underWay.delete(call));
    underWay.add(call);
  }
  over.abort();
  // Where it failed nothing was claimed, and it goes no further anyway.
  for (const batch of ahead) await sender.giveBack((await batch.catch(() => null)) ?? []);
  await Promise.all(underWay);
  if (failures.length > 0) throw failures[0];
  return troubles;
}

/** What was claimed, perhaps nothing as others were faster; null when nothing is due. */
type Batch = Claim[] | null;

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
