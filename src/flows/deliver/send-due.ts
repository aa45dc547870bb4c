import { setMaxListeners } from "node:events";
import { spacingMs, windowFor } from "../../core/delivery/rate-window.ts";
import type { ClaimKind } from "../../store/contract/store.ts";
import { type Batch, type Delivery, isThrottled, type Trouble } from "./send.ts";

/** Calls at once where no window bounds them: enough to keep a vendor on the same machine busy. */
const UNLIMITED_CALLS_AT_ONCE = 8;
/** Each has a connection of its own: an account that does not answer shall not take all that the machine has. */
const MOST_CALLS_AT_ONCE = 64;
/** Enough that neither the store nor this thread waits for the other while a window is filled. */
const MOST_AHEAD = 3;
/** A batch that is sent apart takes up to 200 calls. */
const MOST_APART = 8;
/** What finds so many of its like before it, to be sent apart or alone, tries again so much later. */
const TROUBLE_WAIT_MS = 30_000;
/** How long new work may go unseen while calls are under way. */
const LOOK_EVERY_MS = 100;

/**
 * Sends until nothing is due, or a call fails as a whole and nobody knows that others are taken; returns the calls that
 * did. What fails for its content is sent apart beside the others, and so are the `suspects` (docs/decisions/0011). A batch is claimed together
 * with its place in the window, so that what is sent is as fresh as can be. The next ones are asked for ahead, so that
 * the store and this thread work at the same time: where no window counts, one as soon as a full one is answered.
 */
export async function sendAllDue(delivery: Delivery, suspects: readonly Trouble[] = []): Promise<Trouble[]> {
  const { sender } = delivery;
  const { clock, stop, destination } = delivery.context;
  const { rateLimit, batchSize } = destination;
  const most = Math.min(rateLimit?.calls ?? UNLIMITED_CALLS_AT_ONCE, MOST_CALLS_AT_ONCE);
  const window = windowFor(destination, delivery.connection);
  const distanceMs = rateLimit ? spacingMs(rateLimit) : 0;
  /** Until they are settled. */
  const underWay = new Set<Promise<void>>();
  let unanswered = 0;
  /** Calls of those that travel alone: when they fail nobody asks why. */
  let loners = 0;
  const apart = new Set<Promise<void>>();
  /** Asked for, and not sent yet. */
  const ahead = createAhead();
  /** Aborts when nothing more shall go: who waits for a place or for its time gives up. */
  const over = new AbortController();
  setMaxListeners(0, over.signal);
  const end = () => over.abort();
  const troubles: Trouble[] = [];
  const failures: unknown[] = [];
  let notBefore = 0;
  /** While it is asked whether the vendor takes others, nothing new goes. */
  let doubt: Promise<unknown> = Promise.resolve();

  /** Some fail for their content: from then on what is new goes in calls of its own, and has every second place. */
  let isTroubled = false;
  let isTurnOfFailed = false;
  const take = async (): Promise<Batch | null> => {
    if (window) {
      const claim = (kind: ClaimKind) =>
        sender.claimInWindow(batchSize, { window, signal: over.signal, kind });
      if (!isTroubled) return await claim("any");
      isTurnOfFailed = !isTurnOfFailed;
      const failed = loners < most / 2 ? "failed" : "failed in company";
      const [first, second] = isTurnOfFailed ? ([failed, "fresh"] as const) : (["fresh", failed] as const);
      return (await claim(first)) ?? (await claim(second));
    }
    return (await isDue(delivery)) && !over.signal.aborted ? await claimNow() : null;
  };
  const claimNow = async (): Promise<Batch> => ({ claims: await sender.claim(batchSize), at: clock.now() });
  /** An empty batch, too, says that nothing is due. */
  const askAhead = () => {
    ahead.ask(window ? take() : claimNow());
  };
  const send = async ({ claims, at }: Batch): Promise<void> => {
    const isFull = claims.length === batchSize;
    const isLone = claims[0]?.alone === true;
    if (isLone) {
      loners += 1;
      isTroubled = true;
    }
    unanswered += 1;
    let isAnswered = false;
    const leave = () => {
      if (!isAnswered) unanswered -= 1;
      isAnswered = true;
    };
    const onAnswer = () => {
      if (isAnswered) return;
      leave();
      // It comes with the commit that settles this one.
      if (isFull && !rateLimit && !over.signal.aborted) askAhead();
    };
    try {
      // A place is taken so long ahead at most, unless the clock was set back since.
      const aheadMs = Math.min(at - clock.now(), window?.aheadMs ?? 0);
      if (aheadMs > 0) await clock.sleep(aheadMs, over.signal).catch(() => {});
      if (over.signal.aborted) return await sender.giveBack(claims);
      const sent = await sender.sendBatch(claims, onAnswer);
      if (sent.kind !== "failed") return;
      if (isLoner(sent)) return await sender.blame(sent);
      leave();
      if (await isItsContent(sent)) return await takeApart(sent);
      troubles.push(sent);
      end();
    } finally {
      leave();
      if (isLone) loners -= 1;
    }
  };
  const isItsContent = async (trouble: Trouble): Promise<boolean> => {
    if (isThrottled(trouble)) return false;
    const question = sender.vendorTakesOthers(trouble.sentAs);
    doubt = question.catch(() => {});
    return await question;
  };
  /** Beyond the most of them the others go on; what waits may be sent apart when its turn comes again. */
  const takeApart = async (trouble: Trouble): Promise<void> => {
    isTroubled = true;
    if (apart.size >= MOST_APART) return await sender.putOff([trouble], clock.now() + TROUBLE_WAIT_MS);
    const work = sender.sendApart(trouble, over.signal).then((left) => {
      if (left.length === 0) return;
      troubles.push(...left);
      end();
    });
    apart.add(work);
    await work.finally(() => apart.delete(work));
  };
  const start = (work: Promise<void>) => {
    const done = work
      .catch((error) => {
        failures.push(error);
        end();
      })
      .finally(() => underWay.delete(done));
    underWay.add(done);
  };

  const goOn = async () => {
    while (!over.signal.aborted) {
      const restMs = Math.min(notBefore - clock.now(), distanceMs);
      if (restMs > 0) await clock.sleep(restMs, over.signal).catch(() => {});
      if (ahead.size() === 0 && unanswered >= most) await Promise.race(underWay);
      const batch = ahead.size() > 0 ? await ahead.first() : await take();
      if (batch === null) {
        if (ahead.size() > 0) continue;
        if (underWay.size === 0) return;
        // What else is under way may need the proof.
        if (underWay.size === loners) await sender.idle();
        await untilNews(delivery, underWay);
        continue;
      }
      const isFull = batch.claims.length === batchSize;
      if (batch.claims.length === 0) continue;
      if (batch.claims[0]?.alone && loners >= most / 2) {
        await sender.giveBack(batch.claims, clock.now() + TROUBLE_WAIT_MS);
        continue;
      }
      await doubt;
      // What comes one by one goes together soon after; full batches gain nothing by waiting.
      if (!isFull) notBefore = clock.now() + distanceMs;
      // The store claims the next ones while this one is projected.
      const mayAsk = () => ahead.size() < MOST_AHEAD && unanswered + ahead.size() + 1 < most;
      while (window && isFull && mayAsk()) askAhead();
      start(send(batch));
    }
  };

  if (stop.aborted) end();
  stop.addEventListener("abort", end);
  for (const suspect of suspects) start(takeApart(suspect));
  await goOn().catch((error) => failures.push(error));
  stop.removeEventListener("abort", end);
  end();
  // First what is on its way: whatever comes of giving back the rest, its answers are waited for.
  await Promise.all(underWay);
  for (const batch of await ahead.rest()) await sender.giveBack(batch?.claims ?? []);
  if (failures.length > 0) throw failures[0];
  return troubles;
}

/** Batches that were asked for. They come as they are ready: one waits for the next window, another has a place in this. */
function createAhead() {
  const asked = new Set<Promise<Batch | null>>();
  return {
    size: () => asked.size,
    ask: (batch: Promise<Batch | null>) => {
      asked.add(batch);
      // Its failure is heard of where it is awaited, which may be later.
      batch.catch(() => {});
    },
    first: async (): Promise<Batch | null> => {
      const [ready] = await Promise.race([...asked].map((each) => each.then(() => [each] as const)));
      asked.delete(ready);
      return await ready;
    },
    /** Where one failed nothing was claimed. */
    rest: async (): Promise<(Batch | null)[]> =>
      await Promise.all([...asked].map((each) => each.catch(() => null))),
  };
}

export async function isDue({ context, connection }: Delivery): Promise<boolean> {
  const { store, clock } = context;
  const [work] = await store.dueWork(clock.now(), connection.id);
  return work !== undefined && work.dueAt <= clock.now();
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
