/** Is it over, and how long does the vendor rest? */
import { cut, maskEmailsIn, plain } from "../../shared/text.ts";
import { advance } from "./bisect.ts";
import { askCanary, blameContent, causeOf } from "./outage-or-content.ts";
import { afterFailure } from "./outage-record.ts";
import { giveBackSkipped } from "./probe.ts";
import { command, finish, giveBack, goesOn, noteEnd, putOff, startSending } from "./settling.ts";
import type { DeliveryEvent } from "./events.ts";
import type { Batch, Failure, Step } from "./state.ts";

const LONGEST_REASON = 200;
const LONGEST_WORDS = 2_000;

/** What is on its way is awaited; the rest is given back. True in the step that begins it. */
export function drainIfStopped(step: Step): boolean {
  if (goesOn(step) || (step.phase !== "sending" && step.phase !== "probing")) return false;
  step.phase = "draining";
  command(step, { kind: "stop claiming" });
  giveBackSkipped(step);
  for (const batch of step.batches) {
    if (isOnItsWay(batch)) continue;
    step.batches = step.batches.filter(({ id }) => id !== batch.id);
    giveBack(step, [...batch.pushes, ...batch.rest.flat()]);
    if (batch.bisect !== null) advance(step, batch.bisect, []);
  }
  return true;
}

export function endIfDone(step: Step): void {
  const { phase, asked, batches, bisects, doubts, isDry } = step;
  if (asked > 0 || batches.length > 0 || bisects.length > 0 || doubts.length > 0) return;
  if (phase === "sending" && isDry) {
    noteEndIfHeard(step);
    finish(step, 0);
  }
  if (phase === "draining") endDrain(step);
  if (phase === "resting" && step.isBroken) giveUp(step);
}

/** Several may have failed while the vendor took others: then it is their content after all. */
function endDrain(step: Step) {
  const { unsettledFailures } = step;
  if (step.isBroken) return giveUp(step);
  if (unsettledFailures.length === 0) {
    noteEndIfHeard(step);
    return finish(step, 0);
  }
  const since = Math.max(...unsettledFailures.map(({ sentAs }) => sentAs));
  const cause = causeOf(step, { since, failures: unsettledFailures });
  if (cause !== "outage" && step.isStopped) return giveUp(step);
  if (cause === "open") return askCanary(step);
  if (cause === "content") return goOnWithout(step, unsettledFailures);
  step.phase = "resting";
  step.asked += 1;
  command(step, { kind: "read outage" });
}

function goOnWithout(step: Step, failures: readonly Failure[]): void {
  step.unsettledFailures = [];
  noteEndIfHeard(step);
  startSending(step);
  blameContent(step, failures, null);
}

/** What failed has spent a try. A lone suspect waits by itself. */
export function onOutageRead(step: Step, event: Extract<DeliveryEvent, { kind: "outage read" }>): void {
  step.asked -= 1;
  const { now, random, rules, unsettledFailures } = step;
  const { retryEveryMs } = rules;
  const notBefore = Math.max(0, ...unsettledFailures.map((each) => each.notBefore ?? 0)) || null;
  const [only, ...others] = unsettledFailures.flatMap(({ pushes }) => pushes);
  const isLone =
    others.length === 0 && notBefore === null && !unsettledFailures.some(({ isThrottle }) => isThrottle);
  const suspect = isLone ? (only ?? null) : null;
  const reason = maskEmailsIn(plain(cut(unsettledFailures[0]?.reason ?? "", LONGEST_WORDS))).slice(
    0,
    LONGEST_REASON,
  );
  const after = afterFailure(event.outage, { now, notBefore, random, retryEveryMs, suspect, reason });
  putOff(step, unsettledFailures, after.restUntil);
  step.unsettledFailures = [];
  step.outage = after;
  command(step, { kind: "save outage", outage: after });
  if (after.suspect !== null && !step.isStopped) startSending(step);
  else finish(step, after.suspect === null ? after.restUntil : 0);
}

/** Nothing is known of the vendor: what failed is due again at once, no try spent. */
function giveUp(step: Step): void {
  giveBack(
    step,
    step.unsettledFailures.flatMap(({ pushes }) => pushes),
  );
  step.unsettledFailures = [];
  finish(step, 0);
}

function noteEndIfHeard(step: Step): void {
  if (step.outage !== null && step.heardAs > 0) noteEnd(step);
}

function isOnItsWay({ stage }: Batch): boolean {
  return stage === "waiting for a slot" || stage === "in flight";
}
