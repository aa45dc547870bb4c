/** What is known of a vendor that fails: how often in a row, and when to ask again. Pure. */
import { MAX_TRIES, nextTry } from "./retry.ts";

export interface Outage {
  /** Calls that failed in a row. */
  failures: number;
  /** Since when, ms since the epoch. */
  since: number;
  /** Nothing is sent before, ms since the epoch. */
  restUntil: number;
}

/** Six failures in a row are a delivery's whole patience: from then on one contact a tick asks whether it is over. */
export function isDegraded(outage: Outage | null): boolean {
  return outage !== null && outage.failures >= MAX_TRIES;
}

export function afterFailure(
  outage: Outage | null,
  failure: { now: number; notBefore: number | null; random: () => number; retryEveryMs: number },
): Outage {
  const failures = (outage?.failures ?? 0) + 1;
  return {
    failures,
    since: outage?.since ?? failure.now,
    restUntil: nextTry({ ...failure, tries: failures }),
  };
}
