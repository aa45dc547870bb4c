/**
 * Decides what the delivery to one account does next; `flows/deliver` does it and tells what came of it.
 *
 * - rate window: so many calls within so long, as the vendor counts. slot: one call's room in it, taken ahead.
 * - in flight: sent, and not answered yet.
 * - batch: pushes claimed to go in one call; it goes on in parts where the vendor refuses it whole.
 * - failure: a call without a verdict on any record (5xx, timeout, throttle): an outage, or one record's content.
 * - throttle: the vendor's "not now" (429 and the like), never a matter of content.
 * - canary: the contact that was accepted last, kept unsettled; sent again it tells an outage from content.
 * - bisect: to halve a batch that fails for its content until the culprit stands by itself.
 * - quarantine: the culprit goes in calls of its own and backs off by itself, until it changes.
 * - outage: noted on the connection; the vendor rests. degraded: after six failures in a row.
 * - probe: the one contact that is sent in a tick while the vendor rests.
 * - suspect: the only push that met the outage so far; the others need not wait for it.
 */
import type { Outage } from "../connection.ts";
import { onAnswered } from "./answers.ts";
import { advance } from "./bisect.ts";
import { claimMore, claimsAgainAt, LOOK_EVERY_MS, onClaimed, onNothingDue } from "./claiming.ts";
import { judgeDoubts, releaseCanary } from "./outage-or-content.ts";
import { drainIfStopped, endIfDone, onOutageRead } from "./over.ts";
import { begin, onProbeClaimed, onSlotTaken, onTickOpened, probeAgain } from "./probe.ts";
import { freeSlots, onPrepared, onWent, sendMore, sendsNextAt } from "./sending.ts";
import { command, giveBack, removeBatch } from "./settling.ts";
import type { DeliveryCommand, DeliveryEvent } from "./events.ts";
import type { DeliveryState, Moment, Rules, Step } from "./state.ts";

export function initialState(rules: Rules, outage: Outage | null): DeliveryState {
  return {
    rules,
    phase: "probing",
    isStopped: false,
    isBroken: false,
    outage,
    lastId: 0,
    order: 0,
    heardAs: 0,
    unheardAs: 0,
    canary: null,
    batches: [],
    slots: [],
    probeSlot: null,
    bisects: [],
    doubts: [],
    unsettledFailures: [],
    asked: 0,
    wasFull: false,
    askAt: 0,
    isDry: false,
    lookAt: 0,
    hasNews: false,
    isTroubled: false,
    isTurnOfFailed: false,
    skipped: [],
    wakeAt: null,
  };
}

/** What happened, then each question in turn: outage or content, is it over, what to claim, what to send, when to look again. */
export function decide(
  state: DeliveryState,
  event: DeliveryEvent,
  moment: Moment,
): { state: DeliveryState; commands: DeliveryCommand[] } {
  const step: Step = { ...state, ...moment, commands: [] };
  if (step.phase === "over") return { state, commands: [] };
  forgetTimesAhead(step);
  take(step, event);
  judgeDoubts(step);
  // What is given back ends bisects, and leaves new doubts.
  if (drainIfStopped(step)) judgeDoubts(step);
  endIfDone(step);
  probeAgain(step);
  releaseCanary(step);
  claimMore(step);
  sendMore(step);
  freeSlots(step);
  wakeInTime(step);
  const { now, random, commands, ...next } = step;
  return { state: next, commands };
}

function take(step: Step, event: DeliveryEvent) {
  switch (event.kind) {
    case "began":
      return begin(step);
    case "tick opened":
      return onTickOpened(step, event);
    case "slot taken":
      return onSlotTaken(step, event);
    case "claimed":
      return step.phase === "probing" ? onProbeClaimed(step, event) : onClaimed(step, event);
    case "nothing due":
      return onNothingDue(step);
    case "prepared":
      return onPrepared(step, event);
    case "went":
      return onWent(step, event);
    case "answered":
      return onAnswered(step, event);
    case "broke":
      return onBroke(step, event);
    case "outage read":
      return onOutageRead(step, event);
    case "told to stop":
      step.isStopped = true;
      return;
    case "time came":
      step.wakeAt = null;
  }
}

/** No try is spent: nobody knows whether the vendor saw it. */
function onBroke(step: Step, { batch: id, isAsked }: Extract<DeliveryEvent, { kind: "broke" }>): void {
  step.isBroken = true;
  if (isAsked) step.asked -= 1;
  const batch = step.batches.find((each) => each.id === id);
  if (!batch) return;
  removeBatch(step, batch.id);
  if (batch.kind !== "canary") giveBack(step, [...batch.pushes, ...batch.rest.flat()]);
  if (batch.bisect !== null) advance(step, batch.bisect, []);
}

/** Where the clock was set back, nobody waits for times that were. */
function forgetTimesAhead(step: Step): void {
  const { now, rules } = step;
  step.askAt = Math.min(step.askAt, now + rules.spacingMs);
  step.lookAt = Math.min(step.lookAt, now + LOOK_EVERY_MS);
  const latest = now + rules.aheadMs;
  if (step.batches.some(({ goAt }) => goAt > latest))
    step.batches = step.batches.map((batch) => ({ ...batch, goAt: Math.min(batch.goAt, latest) }));
}

function wakeInTime(step: Step): void {
  const times = [claimsAgainAt(step), sendsNextAt(step)].filter((at) => at !== null && at > step.now);
  const at = Math.min(...times.map(Number), step.wakeAt ?? Number.POSITIVE_INFINITY);
  if (at === step.wakeAt || at === Number.POSITIVE_INFINITY) return;
  step.wakeAt = at;
  command(step, { kind: "wake", at });
}
