/** What is known of a vendor that fails: how often in a row, and when to ask again. Pure. */
import type { Outage } from "../connection.ts";
import { LONGEST_WAIT_MS, MAX_TRIES, nextTry } from "./retry.ts";

/** After six failures in a row, over all runs of the delivery. It is what `status` and `run retry` tell; probing begins sooner. */
export function isDegraded(outage: Outage | null): outage is Outage {
  return outage !== null && outage.failures >= MAX_TRIES;
}

/** Two who look at one clock a moment apart see no clock that was ahead. */
const CLOCK_SLACK_MS = 60_000;

/** Noted while the clock was ahead: nobody waits for the times it names. */
export function isFromAhead({ since, notedAt = since, restUntil }: Outage, now: number): boolean {
  return Math.max(since, notedAt) > now + CLOCK_SLACK_MS || restUntil > now + LONGEST_WAIT_MS;
}

/**
 * A call that fails while the vendor is left in peace went before that: it is the same failure, and shortens no rest.
 * `suspect`: the one push that the failed calls held, where its content may be to blame, and its own failed tries before.
 */
export function afterFailure(
  outage: Outage | null,
  {
    suspect,
    reason,
    ...failure
  }: {
    now: number;
    notBefore: number | null;
    random: () => number;
    retryEveryMs: number;
    suspect: { pushId: number; tries: number } | null;
    reason?: string;
  },
): Outage {
  const rests = outage !== null && outage.suspect === null && failure.now < outage.restUntil;
  const failures = Math.max(outage?.failures ?? 0, suspect?.tries ?? 0) + (rests ? 0 : 1);
  const met = suspect?.pushId ?? null;
  const notBefore = Math.max(failure.notBefore ?? 0, outage?.notBefore ?? 0);
  return {
    failures,
    since: outage?.since ?? failure.now,
    notedAt: failure.now,
    restUntil: Math.max(nextTry({ ...failure, tries: failures }), rests ? outage.restUntil : 0),
    suspect: outage === null || outage.suspect === met ? met : null,
    ...(notBefore > failure.now ? { notBefore } : {}),
    ...(reason === undefined ? {} : { reason }),
  };
}
