/** Is it an outage, or the content of what failed? Any answer that came later tells, or the canary. */
import { bisect } from "./bisect.ts";
import { isCanaryInFlight, sendCanary } from "./sending.ts";
import { areInQuarantine, settle } from "./settling.ts";
import type { Doubt, Failure, Step } from "./state.ts";

export type Cause = "outage" | "content" | "open";

/** So long the canary's next result may wait for calls that need none. */
export const CANARY_MS = 10_000;

/** A throttle is never a matter of content; where our own store or login failed, nothing more is asked. */
export function causeOf(step: Step, { since, failures }: Pick<Doubt, "since" | "failures">): Cause {
  if (step.isBroken || failures.some(({ isThrottle }) => isThrottle)) return "outage";
  if (step.heardAs > since) return "content";
  const canTell = isCanaryInFlight(step) || step.canary !== null;
  return step.unheardAs > since || !canTell ? "outage" : "open";
}

/** Whoever fails at the same time shares one canary. */
export function judgeDoubts(step: Step): void {
  const doubts = step.doubts;
  // Whoever was told to stop asks nothing more: what is in doubt stays so, and is given back.
  step.doubts = step.isStopped ? [] : doubts.filter((doubt) => causeOf(step, doubt) === "open");
  for (const doubt of doubts) {
    const cause = causeOf(step, doubt);
    if (cause === "content") blameContent(step, doubt.failures, doubt.root);
    else if (cause === "outage" || step.isStopped)
      step.unsettledFailures = [...step.unsettledFailures, ...doubt.failures];
  }
  if (step.doubts.length > 0) askCanary(step);
}

export function blameContent(step: Step, failures: readonly Failure[], root: number | null): void {
  for (const failure of failures) bisect(step, failure, root);
}

export function askCanary(step: Step): void {
  if (!isCanaryInFlight(step)) sendCanary(step);
}

/** Calls of those in quarantine need no canary; with nothing else in flight it is let go. */
export function releaseCanary(step: Step): void {
  const { canary, batches } = step;
  const isIdle = batches.length > 0 && batches.every(({ pushes }) => areInQuarantine(pushes));
  if (!canary || isCanaryInFlight(step) || !step.isDry || !isIdle) return;
  if (Math.abs(step.now - canary.acceptedAt) < CANARY_MS) return;
  settle(step, [{ pushId: canary.pushId, ending: "as answered" }]);
  step.canary = null;
}
