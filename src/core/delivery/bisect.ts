/**
 * Content that makes the vendor fail: halved until the culprit stands by itself, which then goes into quarantine. A batch that
 * the vendor refuses in words is parted in `refused-batch.ts`.
 */
import { nextTry } from "./retry.ts";
import { addBatch, giveBack, goesOn, putOff, settle } from "./settling.ts";
import type { ClaimedPush } from "./events.ts";
import type { Bisect, Failure, Step } from "./state.ts";

/** One bisect takes up to 200 calls. */
export const MOST_BISECTS = 8;
/** Content that fails beyond those tries again so much later. */
export const BISECT_LATER_MS = 30_000;

/** `root`: the bisect that it goes on from; null for content whose failure is new. */
export function bisect(step: Step, failure: Failure, root: number | null) {
  if (root === null) {
    step.isTroubled = true;
    if (roots(step).size >= MOST_BISECTS) return putOff(step, [failure], step.now + BISECT_LATER_MS);
  }
  if (failure.pushes.length === 1) return quarantine(step, failure);
  if (!goesOn(step)) {
    step.unsettledFailures = [...step.unsettledFailures, failure];
    return;
  }
  const [first = [], second = null] = halvesOf(failure.pushes);
  step.lastId += 1;
  const id = step.lastId;
  step.bisects = [...step.bisects, { id, root: root ?? id, since: step.order, second, failures: [] }];
  tryHalf(step, id, first);
}

/** A half was answered, or failed: the other one goes, or it is asked what the failures mean. */
export function advance(step: Step, id: number, failures: readonly Failure[]) {
  const found = step.bisects.find((each) => each.id === id);
  if (!found) return;
  const next: Bisect = { ...found, second: null, failures: [...found.failures, ...failures] };
  step.bisects = step.bisects.map((each) => (each.id === id ? next : each));
  const isThrottled = next.failures.some(({ isThrottle }) => isThrottle);
  if (found.second && goesOn(step) && !isThrottled) return tryHalf(step, id, found.second);
  giveBack(step, found.second ?? []);
  step.bisects = step.bisects.filter((each) => each.id !== id);
  const { since, root } = next;
  if (next.failures.length > 0) step.doubts = [...step.doubts, { since, failures: next.failures, root }];
}

/** It backs off by itself from now on, and keeps nobody waiting. */
export function quarantine(step: Step, { pushes, notBefore }: Failure): void {
  const { now, random, rules } = step;
  const { retryEveryMs } = rules;
  settle(
    step,
    pushes.map(({ pushId, tries }) => {
      const dueAt = nextTry({ tries: tries + 1, now, notBefore, random, retryEveryMs });
      return { pushId, ending: { dueAt, counted: true, quarantine: true } };
    }),
  );
}

export function halvesOf(pushes: readonly ClaimedPush[]): ClaimedPush[][] {
  const half = Math.ceil(pushes.length / 2);
  return [pushes.slice(0, half), pushes.slice(half)];
}

function tryHalf(step: Step, id: number, pushes: readonly ClaimedPush[]): void {
  addBatch(step, { kind: "half", stage: "queued", pushes, bisect: id });
}

/** Those that are under way, each with all that it led to. */
function roots({ bisects, doubts }: Step): Set<number> {
  return new Set([...bisects, ...doubts].flatMap(({ root }) => (root === null ? [] : [root])));
}
