/** A vendor that fails is left in peace, and asked with one contact whether it is back. */
import { everyDue } from "../due-times.ts";
import { isFromAhead } from "./outage-record.ts";
import { addBatch, command, finish, giveBack, goesOn, startSending } from "./settling.ts";
import type { ClaimedPush, DeliveryEvent } from "./events.ts";
import type { Step } from "./state.ts";

/** Another process asks the vendor; its answer is looked for so soon. */
export const LOOK_AGAIN_MS = 1_000;

/**
 * Begins a delivery. Without an outage it sends at once; with one it waits until the vendor has rested, then one of all
 * processes sends one probe a tick. Where a single push has failed so far the others need not wait for it.
 */
export function begin(step: Step) {
  const { outage, now, rules } = step;
  if (outage === null) return startSending(step);
  if (outage.suspect !== null) return takeSlot(step);
  const isAhead = isFromAhead(outage, now);
  if (isAhead) command(step, { kind: "hasten" });
  const restUntil = rules.insists ? (outage.notBefore ?? 0) : outage.restUntil;
  if (now < restUntil && !isAhead) return finish(step, restUntil);
  if (rules.insists) return takeSlot(step);
  // Whoever asked first may have been killed: the next tick has its own probe.
  const last = everyDue(rules.retryEveryMs).last(now);
  step.asked += 1;
  command(step, { kind: "open tick", dueAt: isAhead ? last : Math.max(outage.restUntil, last) });
}

export function onTickOpened(step: Step, { isOurs }: Extract<DeliveryEvent, { kind: "tick opened" }>): void {
  step.asked -= 1;
  if (!goesOn(step)) return;
  if (isOurs) takeSlot(step);
  else finish(step, step.now + LOOK_AGAIN_MS);
}

export function onSlotTaken(step: Step, { slot }: Extract<DeliveryEvent, { kind: "slot taken" }>): void {
  step.asked -= 1;
  if (slot) step.slots = [...step.slots, slot];
  step.probeSlot = slot;
  claimOne(step);
}

/**
 * The probe is the first contact that is neither in quarantine nor the suspect. One in quarantine is it only where there
 * is no other. The suspect never is: it goes with the normal work, so that it delays nobody.
 */
export function onProbeClaimed(step: Step, { pushes }: Extract<DeliveryEvent, { kind: "claimed" }>) {
  step.asked -= 1;
  if (!goesOn(step)) return giveBack(step, pushes);
  const [push] = pushes;
  if (!push) return onNoProbe(step);
  if (push.isQuarantined || push.pushId === step.outage?.suspect) {
    step.skipped = [...step.skipped, push];
    return claimOne(step);
  }
  probe(step, push);
}

/** All of it had nothing to tell. */
export function probeAgain(step: Step): void {
  const isLooking = step.phase === "probing" && step.asked === 0 && step.batches.length === 0;
  if (isLooking) claimOne(step);
}

function onNoProbe(step: Step) {
  const isSuspected = (step.outage?.suspect ?? null) !== null;
  const [substitute, ...others] = isSuspected ? [] : step.skipped;
  if (substitute) {
    step.skipped = others;
    return probe(step, substitute);
  }
  giveBackSkipped(step);
  if (isSuspected) startSending(step);
  else finish(step, step.now + LOOK_AGAIN_MS);
}

export function giveBackSkipped(step: Step): void {
  giveBack(step, step.skipped);
  step.skipped = [];
}

function probe(step: Step, push: ClaimedPush): void {
  giveBackSkipped(step);
  addBatch(step, { kind: "probe", stage: "claimed", pushes: [push], slot: step.probeSlot });
}

function takeSlot(step: Step): void {
  step.asked += 1;
  command(step, { kind: "take slot" });
}

function claimOne(step: Step): void {
  if (!goesOn(step)) return;
  step.asked += 1;
  command(step, { kind: "claim probe" });
}
