/** What one answer makes of its call: settled record by record, sent again in parts, or failed as a whole. */
import type { AgainAnswer, Answer, RetryAnswer } from "./answer.ts";
import { advance, quarantine } from "./bisect.ts";
import { type Answered, partsOf, repeatsOf } from "./refused-batch.ts";
import { nextTry } from "./retry.ts";
import { isCanaryInFlight } from "./sending.ts";
import {
  areInQuarantine,
  changeBatch,
  giveBack,
  goesOn,
  noteEnd,
  removeBatch,
  settle,
  startSending,
} from "./settling.ts";
import type { ClaimedPush, DeliveryEvent, End, Ending } from "./events.ts";
import type { Batch, Failure, Step } from "./state.ts";

export function onAnswered(step: Step, event: Extract<DeliveryEvent, { kind: "answered" }>) {
  const batch = step.batches.find(({ id }) => id === event.batch);
  if (!batch) return;
  const all = pairs(batch.pushes, event.answers);
  const retries = event.answers.filter((answer) => answer.kind === "retry");
  const hasFailed = retries.length === all.length;
  step.order += 1;
  if (!hasFailed) step.heardAs = step.order;
  if (batch.kind === "canary") return onCanaryAnswered(step, batch);
  if (hasFailed) return onFailed(step, batch, failureOf(batch, retries));
  const parts = [...partsOf(all), ...repeatsOf(batch, all)];
  const inParts = new Set(parts.flat());
  settleAccepted(
    step,
    all.filter(({ answer }) => answer.kind === "accepted").map(({ push }) => push),
  );
  settle(
    step,
    all
      .filter(({ push, answer }) => answer.kind !== "accepted" && !inParts.has(push))
      .map((each) => endOf(step, each)),
  );
  goOnWith(step, batch, parts);
  if (batch.kind === "probe" && goesOn(step)) {
    noteEnd(step);
    startSending(step);
  }
}

function onFailed(step: Step, batch: Batch, failure: Failure): void {
  removeBatch(step, batch.id);
  giveBack(step, batch.rest.flat());
  if (batch.bisect !== null) advance(step, batch.bisect, [failure]);
  else if (batch.kind === "probe" || failure.isThrottle)
    step.unsettledFailures = [...step.unsettledFailures, failure];
  else if (areInQuarantine(failure.pushes)) quarantine(step, failure);
  else step.doubts = [...step.doubts, { since: failure.sentAs, failures: [failure], root: null }];
}

/** What it was told again changes nothing: it was accepted before. */
function onCanaryAnswered(step: Step, batch: Batch): void {
  removeBatch(step, batch.id);
  if (step.heardAs < batch.sentAs) step.unheardAs = batch.sentAs;
}

/** The last one becomes the canary, unless the one before is in flight. */
function settleAccepted(step: Step, accepted: readonly ClaimedPush[]): void {
  const last = isCanaryInFlight(step) ? undefined : accepted.at(-1);
  const known = last && step.canary ? [step.canary] : [];
  const ended = [...known, ...accepted.filter((push) => push !== last)];
  settle(
    step,
    ended.map(({ pushId }) => ({ pushId, ending: "as answered" })),
  );
  if (last) step.canary = { ...last, acceptedAt: step.now };
}

function goOnWith(step: Step, batch: Batch, parts: readonly (readonly ClaimedPush[])[]) {
  const [next, ...rest] = [...parts, ...batch.rest];
  if (next && goesOn(step))
    return changeBatch(step, batch.id, {
      stage: "queued",
      pushes: next,
      rest,
      isFirst: false,
      wasRefused: true,
    });
  removeBatch(step, batch.id);
  giveBack(step, [...(next ?? []), ...rest.flat()]);
  if (batch.bisect !== null) advance(step, batch.bisect, []);
}

function endOf(step: Step, { push, answer }: Answered): End {
  return { pushId: push.pushId, ending: endingOf(step, push, answer) };
}

function endingOf(step: Step, push: ClaimedPush, answer: Answer): Ending {
  if (answer.kind === "retry") return retryOf(step, push, answer);
  return answer.kind === "again" ? againAt(answer) : "as answered";
}

function againAt({ at }: AgainAnswer): Ending {
  return { dueAt: at, counted: true, quarantine: false };
}

function retryOf(step: Step, { tries }: ClaimedPush, { notBefore }: RetryAnswer): Ending {
  const { now, random, rules } = step;
  const { retryEveryMs } = rules;
  const dueAt = nextTry({ tries: tries + 1, now, notBefore, random, retryEveryMs });
  return { dueAt, counted: true, quarantine: false };
}

function failureOf({ pushes, sentAs }: Batch, retries: readonly RetryAnswer[]): Failure {
  const wishes = retries.map(({ notBefore }) => notBefore ?? 0);
  return {
    pushes,
    sentAs,
    isThrottle: retries.some(({ isThrottle }) => isThrottle),
    notBefore: Math.max(0, ...wishes) || null,
    reason: retries[0]?.reason ?? "",
  };
}

function pairs(pushes: readonly ClaimedPush[], answers: readonly Answer[]): Answered[] {
  return pushes.map((push, index) => {
    const answer = answers[index];
    if (!answer) throw new Error("the destination left an update without an answer");
    return { push, answer };
  });
}
