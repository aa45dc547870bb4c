/** May more be claimed, and of which kind? */
import { isCanaryWaiting } from "./sending.ts";
import { addBatch, areInQuarantine, command, giveBack, goesOn } from "./settling.ts";
import type { ClaimKind, DeliveryEvent } from "./events.ts";
import type { Step } from "./state.ts";

/** The store and this thread work at the same time while a window is filled, and neither waits for the other. */
const MOST_ASKED = 3;
/** What would go in quarantine beyond its share of the calls tries again so much later. */
export const CROWDED_MS = 30_000;
/** How long new work may go unseen while calls are in flight. */
export const LOOK_EVERY_MS = 100;

/** Full batches are claimed ahead; after one that was not full, the next may wait, to go together with what comes. */
export function claimMore(step: Step): void {
  if (step.phase !== "sending" || step.now < nextAskAt(step) || isCanaryWaiting(step)) return;
  const { batchSize, mostInFlight } = step.rules;
  const most = step.wasFull ? MOST_ASKED : 1;
  while (step.asked < most && step.asked + awaitingFirstAnswer(step) < mostInFlight) {
    step.asked += 1;
    step.hasNews = false;
    command(step, { kind: "claim", kinds: nextKinds(step), limit: batchSize, isLook: !step.wasFull });
  }
}

/** When to claim again if nothing happens before; null where something has to. */
export function claimsAgainAt(step: Step): number | null {
  const isWaiting =
    step.phase === "sending" && step.asked === 0 && awaitingFirstAnswer(step) < step.rules.mostInFlight;
  return isWaiting ? nextAskAt(step) : null;
}

function nextAskAt({ isDry, askAt, lookAt }: Step): number {
  return isDry ? Math.max(askAt, lookAt) : askAt;
}

export function onClaimed(step: Step, { pushes, at, slot }: Extract<DeliveryEvent, { kind: "claimed" }>) {
  step.asked -= 1;
  if (slot) step.slots = [...step.slots, slot];
  if (!goesOn(step)) return giveBack(step, pushes);
  step.wasFull = pushes.length === step.rules.batchSize;
  const [first] = pushes;
  if (!first) return;
  step.isDry = false;
  if (first.isQuarantined) {
    if (inQuarantine(step) >= quarantineShare(step)) return giveBack(step, pushes, step.now + CROWDED_MS);
    step.isTroubled = true;
  }
  step.askAt = step.wasFull ? step.now : step.now + step.rules.spacingMs;
  addBatch(step, { kind: "claimed", stage: "claimed", pushes, goAt: at, slot, isFirst: true });
}

export function onNothingDue(step: Step): void {
  step.asked -= 1;
  step.wasFull = false;
  step.isDry = !step.hasNews;
  step.lookAt = step.now + LOOK_EVERY_MS;
}

/** What is new is never refused for the sake of what failed before: once some fails, the two take turns. */
function nextKinds(step: Step): ClaimKind[] {
  if (!step.isTroubled || !step.rules.hasWindow) return ["any"];
  step.isTurnOfFailed = !step.isTurnOfFailed;
  const failed = inQuarantine(step) < quarantineShare(step) ? "failed" : "failed together";
  return step.isTurnOfFailed ? [failed, "fresh"] : ["fresh", failed];
}

function awaitingFirstAnswer({ batches }: Step): number {
  return batches.filter(({ isFirst }) => isFirst).length;
}

function inQuarantine({ batches }: Step): number {
  return batches.filter((batch) => batch.kind === "claimed" && areInQuarantine(batch.pushes)).length;
}

function quarantineShare({ rules }: Step): number {
  return rules.mostInFlight / 2;
}
