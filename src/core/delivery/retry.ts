/** When to come back after a try that failed for a reason that may pass. Pure. */

/** Tries in one delivery; after them the retry queue's tick takes over. */
export const MAX_TRIES = 6;
/** Default distance of the retry queue's ticks, which lie on its multiples since the epoch. */
export const RETRY_EVERY_MS = 5 * 60_000;

const HOUR_MS = 3_600_000;
const LONGEST_TICK_MS = 24 * HOUR_MS;
/** Nothing waits for its next try as long as this: vendors are believed for 25 hours. What is due later was put off by a wrong clock. */
export const LONGEST_WAIT_MS = 26 * HOUR_MS;

const FIRST_DELAY_MS = 1_000;

/**
 * The earliest moment for the next try, ms since the epoch: 1, 2, 4, 8, 16 s after the first to the fifth failure,
 * then the next tick of the retry queue. Jitter takes up to half of a delay away and adds nothing, so the five
 * delays stay within 31 s. `tries` counts the failures so far (1 or more), `notBefore` is the vendor's own wish,
 * `random` gives 0 ≤ x < 1.
 */
export function nextTry({
  tries,
  now,
  notBefore,
  random,
  retryEveryMs = RETRY_EVERY_MS,
}: {
  tries: number;
  now: number;
  notBefore: number | null;
  random: () => number;
  retryEveryMs?: number;
}): number {
  const ours =
    tries < MAX_TRIES ? now + backoff(tries, random) : nextTick(now, Math.min(retryEveryMs, LONGEST_TICK_MS));
  return Math.max(ours, notBefore ?? 0);
}

function backoff(tries: number, random: () => number): number {
  const delayMs = FIRST_DELAY_MS * 2 ** (Math.max(tries, 1) - 1);
  return Math.round(delayMs * (1 - random() / 2));
}

function nextTick(now: number, everyMs: number): number {
  return (Math.floor(now / everyMs) + 1) * everyMs;
}
