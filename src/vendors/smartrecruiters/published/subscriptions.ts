/** Subscriptions: made switched off, given a secret key, and switched on by a greeting that our receiver answers. */
import * as v from "valibot";
import { AppError } from "../../../shared/errors.ts";
import { secret, type Secret } from "../../../shared/secret.ts";
import type { Subscription } from "../../contract/ats.ts";
import { callApi, type Caller } from "../calling/api.ts";
import { ask, check, remove } from "../calling/ask.ts";
import { ENDPOINTS, STAGE_EVENTS } from "./contract.ts";
import { readArrays } from "./arrays.ts";

const Shown = v.object({
  id: v.string(),
  callbackUrl: v.string(),
  events: v.array(v.object({ name: v.string() })),
  status: v.fallback(v.string(), "unknown"),
});
const Key = v.object({ secretKey: v.pipe(v.string(), v.trim(), v.minLength(1), v.transform(secret)) });

/** Those to any event that we need, whoever made them. */
export async function listSubscriptions(caller: Caller): Promise<Subscription[]> {
  const call = { endpoint: ENDPOINTS.subscriptions, schema: Shown, doing: "listing subscriptions" };
  const all: Subscription[] = [];
  for await (const each of readArrays(caller, call)) {
    const names = each.events.map(({ name }) => name);
    if (STAGE_EVENTS.some((name) => names.includes(name))) all.push(subscriptionOf(each));
  }
  return all;
}

/** Its key is made before it can be switched on; the one that failed to get any is removed again. */
export async function subscribe(
  caller: Caller,
  callbackUrl: string,
): Promise<{ subscription: Subscription; secret: Secret }> {
  const made = await ask(caller, {
    endpoint: ENDPOINTS.subscribe,
    json: { callbackUrl, events: STAGE_EVENTS },
    schema: Shown,
    doing: "subscribing to webhooks",
  });
  try {
    return { subscription: subscriptionOf(made), secret: await makeKey(caller, made.id) };
  } catch (error) {
    await unsubscribe(caller, made.id).catch(() => {});
    throw error;
  }
}

/** The older keys stay good for a day. */
export async function makeKey(caller: Caller, id: string): Promise<Secret> {
  const doing = "making a secret key";
  const { secretKey } = await ask(caller, {
    endpoint: ENDPOINTS.makeKey,
    params: { id },
    schema: Key,
    doing,
  });
  return secretKey;
}

/** Meanwhile our receiver is greeted. One that is on already is fine. */
export async function activate(caller: Caller, id: string): Promise<void> {
  const answer = await callApi(caller, { endpoint: ENDPOINTS.activate, params: { id } });
  if (answer.status === 409 && /ACTIVE/i.test(`${answer.problem?.code} ${answer.problem?.message}`)) return;
  if (answer.status === 424)
    throw new AppError(
      "VENDOR_REJECTED",
      "SmartRecruiters greeted our receiver, and had no answer within 20 seconds",
      { hint: "Is serve running, and does serve.public_url lead to it from outside, over https?" },
    );
  check(caller, answer, "activating a subscription");
}

/** False where it was gone already. */
export async function unsubscribe(caller: Caller, id: string): Promise<boolean> {
  const doing = "removing a subscription";
  return await remove(caller, { endpoint: ENDPOINTS.unsubscribe, params: { id }, doing });
}

/** One that hears of less than we need is as good as none. */
function subscriptionOf({ id, callbackUrl, events, status }: v.InferOutput<typeof Shown>): Subscription {
  const names = events.map(({ name }) => name);
  return {
    id,
    event: names.join(", "),
    targetUrl: callbackUrl,
    isActive: status.toLowerCase() === "active" && STAGE_EVENTS.every((name) => names.includes(name)),
  };
}
