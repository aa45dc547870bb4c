/** The webhooks out: who is told of a completed assessment, with what faults on the way, and how often it is tried. */
import { createHmac, randomUUID } from "node:crypto";
import { isoTime } from "../../shared/clock.ts";
import type { Assessment, Company, Subscription } from "./company.ts";
import { post } from "./post.ts";
import type { WebhookEvent } from "./webhook-event.ts";
import type { SmartWorld } from "./world.ts";

export const COMPLETED = "candidate.assessment.completed";

/** How long a lone event waits for a second one to change places with. */
const REORDER_MS = 200;

export function announceCompletion(world: SmartWorld, company: Company, assessment: Assessment): void {
  const { id: assessmentId, candidateId, jobId, finished } = assessment;
  const data = {
    candidateId,
    jobId,
    assessmentId,
    ...(finished && { invitationId: finished.invitationId }),
    status: world.webhooks.status,
    ...(finished && world.webhooks.carriesResult && { result: finished.result }),
  };
  const event: WebhookEvent = { ...newEvent(world), data };
  inBackground(world, () => inTurn(world, company, event));
}

/** Receivers know an event by its id for good, so it must not come again after a restart of the emulator. */
export function newEvent(world: SmartWorld): WebhookEvent {
  return { id: `evt_${randomUUID()}`, event: COMPLETED, occurredAt: isoTime(world.clock.now()) };
}

/** Tells the company's active subscriptions, whatever the event is. */
export function fire(world: SmartWorld, company: Company, event: WebhookEvent): void {
  inBackground(world, () => tellAll(world, company, event));
}

/** Keeps the order of events, or swaps them in pairs. */
async function inTurn(world: SmartWorld, company: Company, event: WebhookEvent): Promise<void> {
  if (!world.webhooks.reorder) return tellAll(world, company, event);
  const { heldEvents } = world;
  const earlier = heldEvents.get(company);
  if (earlier) {
    heldEvents.delete(company);
    await tellAll(world, company, event, () => fire(world, company, earlier));
    return;
  }
  heldEvents.set(company, event);
  await world.clock.sleep(REORDER_MS, world.signal);
  if (heldEvents.get(company) !== event) return;
  heldEvents.delete(company);
  await tellAll(world, company, event);
}

/** `afterFirstTry` runs when every subscription has been told once, successfully or not. */
async function tellAll(
  world: SmartWorld,
  company: Company,
  event: WebhookEvent,
  afterFirstTry: () => void = () => {},
): Promise<void> {
  const { delayMs, copies: count } = world.webhooks;
  if (delayMs > 0) await world.clock.sleep(delayMs, world.signal);
  const subscriptions = [...company.subscriptions.values()].filter(({ status }) => status === "active");
  const copies = subscriptions.flatMap((subscription) => Array.from({ length: count }, () => subscription));
  const firstTries = copies.map((subscription) => tryOnce(world, subscription, event, 1));
  const all = copies.map(async (subscription, index) => {
    if (!(await firstTries[index])) await tryAgain(world, company, subscription, event);
  });
  await Promise.all([...all, Promise.all(firstTries).then(afterFirstTry)]);
}

/** The same event once more, until it is accepted or nobody wants it any longer. */
async function tryAgain(
  world: SmartWorld,
  company: Company,
  subscription: Subscription,
  event: WebhookEvent,
): Promise<void> {
  for (const [index, waitMs] of world.webhooks.retryMs.entries()) {
    await world.clock.sleep(waitMs, world.signal);
    const isWanted = company.subscriptions.has(subscription.id) && subscription.status === "active";
    if (!isWanted || (await tryOnce(world, subscription, event, index + 2))) return;
  }
}

async function tryOnce(
  world: SmartWorld,
  { id: subscriptionId, targetUrl, headers, secret }: Subscription,
  event: WebhookEvent,
  attempt: number,
): Promise<boolean> {
  const signed = JSON.stringify(event);
  const signature = createHmac("sha256", secret).update(signed).digest("hex");
  const at = world.clock.now();
  const status = await post({
    url: targetUrl,
    headers: {
      ...headers,
      "Content-Type": "application/json",
      "X-SmartRecruiters-Signature": `sha256=${signature}`,
    },
    body: world.webhooks.reserialize ? JSON.stringify(event, null, 2) : signed,
    signal: world.signal,
  });
  const assessmentId = assessmentIdOf(event);
  world.deliveries.push({ subscriptionId, eventId: event.id, assessmentId, targetUrl, attempt, status, at });
  return status === 202;
}

function assessmentIdOf({ data }: WebhookEvent): string | null {
  if (typeof data !== "object" || data === null || !("assessmentId" in data)) return null;
  return typeof data.assessmentId === "string" ? data.assessmentId : null;
}

/** Work that no call waits for; it ends with the world. */
function inBackground({ signal }: SmartWorld, work: () => Promise<void>): void {
  if (signal.aborted) return;
  work().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
