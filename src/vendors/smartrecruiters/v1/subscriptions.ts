/** Our subscriptions to the account's webhooks. */
import * as v from "valibot";
import { secret, type Secret } from "../../../shared/secret.ts";
import type { Subscription } from "../../contract/ats.ts";
import { ENDPOINTS, V1 } from "./profile.ts";
import type { Caller } from "../calling/api.ts";
import { ask, remove } from "../calling/ask.ts";
import { askAll } from "../calling/lists.ts";

const Shown = v.object({
  id: v.string(),
  event: v.string(),
  targetUrl: v.string(),
  status: v.fallback(v.string(), "unknown"),
});
const List = v.object({ content: v.array(Shown) });
const Created = v.object({
  ...Shown.entries,
  secret: v.pipe(v.string(), v.trim(), v.minLength(1), v.transform(secret)),
});

/** Those to the event we need, whoever made them. */
export async function listSubscriptions(caller: Caller): Promise<Subscription[]> {
  const doing = "listing subscriptions";
  const all = await askAll(caller, { endpoint: ENDPOINTS.subscriptions, schema: List, doing });
  return all.filter(({ event }) => event === V1.webhooks.event).map(subscriptionOf);
}

/** The members of the body stand in the guide's order. */
export async function subscribe(
  caller: Caller,
  targetUrl: string,
): Promise<{ subscription: Subscription; secret: Secret }> {
  const { event, headers } = V1.webhooks;
  const created = await ask(caller, {
    endpoint: ENDPOINTS.subscribe,
    json: { event, targetUrl, headers },
    schema: Created,
    doing: "subscribing to webhooks",
  });
  return { subscription: subscriptionOf(created), secret: created.secret };
}

/** False where it was gone already. */
export async function unsubscribe(caller: Caller, id: string): Promise<boolean> {
  return await remove(caller, {
    endpoint: ENDPOINTS.unsubscribe,
    params: { id },
    doing: "removing a subscription",
  });
}

function subscriptionOf({ id, event, targetUrl, status }: v.InferOutput<typeof Shown>): Subscription {
  return { id, event, targetUrl, isActive: status.toLowerCase() === "active" };
}
