/** May a call go now? */
import { addBatch, changeBatch, command, removeBatch, settle } from "./settling.ts";
import type { DeliveryEvent } from "./events.ts";
import type { Batch, Step } from "./state.ts";

/** A bisect has hundreds of calls to make: so few of its kind wait for a slot at once, beside those for what is new. */
const MOST_WAITING_FOR_SLOT = 2;

export function sendMore(step: Step): void {
  for (const batch of step.batches) {
    if (batch.stage === "claimed") prepare(step, batch);
    else if (batch.stage === "ready" && goesAt(step, batch) <= step.now) send(step, batch);
    else if (batch.stage === "queued" && mayWaitForSlot(step)) send(step, batch);
  }
}

/** When the next call goes if nothing happens before. */
export function sendsNextAt(step: Step): number | null {
  const times = step.batches.filter(({ stage }) => stage === "ready").map((batch) => goesAt(step, batch));
  const next = Math.min(...times);
  return Number.isFinite(next) ? next : null;
}

export function onPrepared(step: Step, event: Extract<DeliveryEvent, { kind: "prepared" }>): void {
  const batch = step.batches.find(({ id }) => id === event.batch);
  if (!batch) return;
  settle(
    step,
    event.empty.map((pushId) => ({ pushId, ending: "empty" })),
  );
  const pushes = batch.pushes.filter(({ pushId }) => !event.empty.includes(pushId));
  if (pushes.length === 0) removeBatch(step, batch.id);
  else changeBatch(step, batch.id, { pushes, stage: "ready" });
}

export function onWent(step: Step, { batch }: Extract<DeliveryEvent, { kind: "went" }>): void {
  changeBatch(step, batch, { stage: "in flight" });
}

/** All that is new waits for its answer: while it waits for its slot, nobody else begins to wait for one. */
export function sendCanary(step: Step): void {
  if (!step.canary) return;
  send(step, addBatch(step, { kind: "canary", stage: "queued", pushes: [step.canary] }));
}

export function isCanaryInFlight({ batches }: Step): boolean {
  return batches.some(({ kind }) => kind === "canary");
}

export function isCanaryWaiting({ batches }: Step): boolean {
  return batches.some(({ kind, stage }) => kind === "canary" && stage === "waiting for a slot");
}

/** Nothing new goes while it is asked whether the vendor takes anything. */
function goesAt({ doubts }: Step, { kind, goAt }: Batch): number {
  const isHeldUp = kind === "claimed" && doubts.some(({ root }) => root === null);
  return isHeldUp ? Number.POSITIVE_INFINITY : goAt;
}

function prepare(step: Step, { id, pushes }: Batch): void {
  changeBatch(step, id, { stage: "preparing" });
  command(step, { kind: "prepare", batch: id, pushIds: pushes.map(({ pushId }) => pushId) });
}

function send(step: Step, { id, stage, pushes, slot }: Batch): void {
  const goesAtOnce = stage === "ready";
  step.order += 1;
  step.slots = step.slots.filter((each) => each !== slot);
  if (slot === step.probeSlot) step.probeSlot = null;
  changeBatch(step, id, {
    stage: goesAtOnce ? "in flight" : "waiting for a slot",
    sentAs: step.order,
    slot: null,
  });
  command(step, { kind: "send", batch: id, pushIds: pushes.map(({ pushId }) => pushId), goesAtOnce, slot });
}

/** Whatever keeps a call from going, its slot does not stay taken. */
export function freeSlots(step: Step): void {
  const probes = step.phase === "probing" ? step.probeSlot : null;
  const wanted = [...step.batches.map(({ slot }) => slot), probes];
  const unused = step.slots.filter((slot) => !wanted.includes(slot));
  if (unused.length === 0) return;
  step.slots = step.slots.filter((slot) => wanted.includes(slot));
  command(step, { kind: "free slots", slots: unused });
}

function mayWaitForSlot(step: Step): boolean {
  const waiting = step.batches.filter(({ stage }) => stage === "waiting for a slot").length;
  return waiting < MOST_WAITING_FOR_SLOT && !isCanaryWaiting(step);
}
