/** The webhooks out: ids alone, signed with every live key, delivered by a 202 in time, and tried again for days. */
import { createHmac, randomUUID } from "node:crypto";
import type { Company } from "../company.ts";
import type { SmartWorld } from "../world.ts";
import type { PublishedSubscription } from "./company.ts";
import { exchange } from "./exchange.ts";

interface ThinEvent {
  id: string;
  name: string;
  version: string;
  body: string;
  link: string;
  firstAt: number;
}

/** Tells all active subscriptions to that event. */
export function fireEvent(
  world: SmartWorld,
  company: Company,
  name: string,
  ids: Readonly<Record<string, string>>,
  id: string = randomUUID(),
): void {
  const now = world.clock.now();
  const link = `<${world.published.linkTo}${pathOf(ids)}>; rel=self`;
  const body = JSON.stringify(ids);
  for (const subscription of company.published.subscriptions.values()) {
    const wanted = subscription.events.find((each) => each.name === name);
    if (!wanted || subscription.status !== "active") continue;
    const event = { id, name, version: wanted.version, body, link, firstAt: now };
    for (let copy = 0; copy < world.published.copies; copy += 1)
      inBackground(world, () => deliver(world, company, subscription, event));
  }
}

function pathOf({ candidate_id, job_id, id }: Readonly<Record<string, string>>): string {
  return candidate_id === undefined ? `/candidates/${id}` : `/candidates/${candidate_id}/jobs/${job_id}`;
}

async function deliver(
  world: SmartWorld,
  { published }: Company,
  subscription: PublishedSubscription,
  event: ThinEvent,
): Promise<void> {
  for (const waitMs of [0, ...world.published.redeliverMs]) {
    if (waitMs > 0) await world.clock.sleep(waitMs, world.signal);
    if (!published.subscriptions.has(subscription.id) || subscription.status !== "active") return;
    if (await tryOnce(world, subscription, event)) return;
  }
}

/** The status counts, and the time: 200, or a late 202, is a failure. */
async function tryOnce(
  world: SmartWorld,
  subscription: PublishedSubscription,
  event: ThinEvent,
): Promise<boolean> {
  const { answerMs, newTimestamp, suspendAfter, suspendedStatus } = world.published;
  const at = world.clock.now();
  const headers = headersOf(subscription, event, { at, stamped: newTimestamp ? at : event.firstAt });
  const { callbackUrl: url } = subscription;
  const { status } = await exchange({
    url,
    headers,
    body: event.body,
    timeoutMs: answerMs,
    signal: world.signal,
  });
  const isDelivered = status === 202;
  subscription.log.push({
    status: isDelivered ? "successful" : "failed",
    ...{ at, url, body: event.body, headers },
  });
  subscription.failures = isDelivered ? 0 : subscription.failures + 1;
  if (suspendAfter > 0 && subscription.failures >= suspendAfter) subscription.status = suspendedStatus;
  return isDelivered;
}

/** https://developers.smartrecruiters.com/docs/webhooks-security */
function headersOf(
  { keys }: PublishedSubscription,
  { id, name, version, body, link }: ThinEvent,
  { at, stamped }: { at: number; stamped: number },
): Record<string, string> {
  const plain = {
    "content-type": "application/json",
    ...{ "event-id": id, "event-name": name, "event-version": version, link },
  };
  const live = liveKeysOf(keys, at);
  if (live.length === 0) return plain;
  const timestamp = String(Math.floor(stamped / 1_000));
  const signed = [timestamp, body, id, name, version, link].join(".");
  const parts = live.map((key) => `v1=${createHmac("sha256", key).update(signed).digest("hex")}`);
  return { ...plain, "smartrecruiters-timestamp": timestamp, "smartrecruiters-signature": parts.join(";") };
}

/** A key is good for a day after the next one was made. */
export function liveKeysOf(keys: PublishedSubscription["keys"], now: number): string[] {
  const isLive = (index: number) => {
    const next = keys[index + 1];
    return next === undefined || now - next.madeAt < 24 * 3_600_000;
  };
  return keys.filter((_key, index) => isLive(index)).map(({ secretKey }) => secretKey);
}

/** Within 20 seconds a 200 with the very header that was sent. */
export async function handshake(
  world: SmartWorld,
  { callbackUrl, keys }: PublishedSubscription,
): Promise<boolean> {
  const { handshakeBody, handshakeMs, signsHandshake } = world.published;
  const secret = randomUUID();
  const at = world.clock.now();
  const signature = signsHandshake ? signatureOf(keys, { at, body: handshakeBody }) : {};
  const answer = await exchange({
    url: callbackUrl,
    headers: { "content-type": "application/json", "x-hook-secret": secret, ...signature },
    body: handshakeBody,
    timeoutMs: handshakeMs,
    signal: world.signal,
  });
  return answer.status === 200 && answer.headers["x-hook-secret"] === secret;
}

function signatureOf(
  keys: PublishedSubscription["keys"],
  { at, body }: { at: number; body: string },
): Record<string, string> {
  const timestamp = String(Math.floor(at / 1_000));
  const signed = [timestamp, body, "", "", "", ""].join(".");
  const parts = liveKeysOf(keys, at).map(
    (key) => `v1=${createHmac("sha256", key).update(signed).digest("hex")}`,
  );
  return { "smartrecruiters-timestamp": timestamp, "smartrecruiters-signature": parts.join(";") };
}

/** Work that no call waits for; it ends with the world. */
function inBackground({ signal }: SmartWorld, work: () => Promise<void>): void {
  if (signal.aborted) return;
  work().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
