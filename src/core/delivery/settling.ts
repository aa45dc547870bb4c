/** How claims end: as the vendor said, or due again. Every claim of a delivery ends once. */
import type { ClaimedPush, DeliveryCommand, End } from "./events.ts";
import type { Batch, Failure, Step } from "./state.ts";

export function command(step: Step, next: DeliveryCommand): void {
  step.commands.push(next);
}

/** Ends of one step share a transaction. */
export function settle(step: Step, ends: readonly End[]): void {
  if (ends.length === 0) return;
  const last = step.commands.at(-1);
  if (last?.kind === "settle") step.commands[step.commands.length - 1] = settling([...last.ends, ...ends]);
  else command(step, settling(ends));
}

function settling(ends: readonly End[]): DeliveryCommand {
  return { kind: "settle", ends };
}

/** No try spent. */
export function giveBack(step: Step, pushes: readonly ClaimedPush[], dueAt = step.now): void {
  settle(
    step,
    pushes.map(({ pushId }) => ({ pushId, ending: { dueAt, counted: false, quarantine: false } })),
  );
}

/** One try spent. */
export function putOff(step: Step, failures: readonly Failure[], dueAt: number): void {
  const pushes = failures.flatMap((failure) => failure.pushes);
  settle(
    step,
    pushes.map(({ pushId }) => ({ pushId, ending: { dueAt, counted: true, quarantine: false } })),
  );
}

export function addBatch(
  step: Step,
  batch: Pick<Batch, "kind" | "stage" | "pushes"> & Partial<Batch>,
): Batch {
  step.lastId += 1;
  const added: Batch = {
    id: step.lastId,
    rest: [],
    goAt: step.now,
    slot: null,
    sentAs: 0,
    isFirst: false,
    bisect: null,
    wasRefused: false,
    ...batch,
  };
  step.batches = [...step.batches, added];
  return added;
}

export function changeBatch(step: Step, id: number, changes: Partial<Batch>): void {
  step.batches = step.batches.map((batch) => (batch.id === id ? { ...batch, ...changes } : batch));
}

/** Its end makes room, and may make something due. */
export function removeBatch(step: Step, id: number): void {
  step.batches = step.batches.filter((batch) => batch.id !== id);
  step.isDry = false;
  step.hasNews = true;
}

/** A push that failed for its content goes by itself from then on. */
export function areInQuarantine(pushes: readonly ClaimedPush[]): boolean {
  return pushes.length === 1 && pushes[0]?.isQuarantined === true;
}

/** As if nothing had been claimed yet. */
export function startSending(step: Step): void {
  step.phase = "sending";
  step.isDry = false;
  step.wasFull = false;
  step.askAt = step.now;
  step.isTroubled = false;
}

/** Nothing stands in the way of a further call. */
export function goesOn({ phase, isStopped, isBroken, unsettledFailures }: Step): boolean {
  return (
    (phase === "sending" || phase === "probing") && !isStopped && !isBroken && unsettledFailures.length === 0
  );
}

/** The vendor answers for records: what was noted of an outage is over. */
export function noteEnd(step: Step): void {
  step.outage = null;
  command(step, { kind: "save outage", outage: null });
}

/** Nothing more is claimed, and nothing is in flight. */
export function finish(step: Step, restUntil: number): void {
  if (step.canary) settle(step, [{ pushId: step.canary.pushId, ending: "as answered" }]);
  step.canary = null;
  step.phase = "over";
  command(step, { kind: "finish", restUntil });
}
