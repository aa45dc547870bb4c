/** A company's subscriptions as its admin sees and changes them, secrets and all. */
import { badInput } from "../control.ts";
import { empty, isRecord, json, parseJson, type Reply } from "../http.ts";
import type { ControlRoute } from "../vendor.ts";
import type { Company, Subscription } from "./company.ts";
import { isHttpUrl } from "./input.ts";
import { newSecret } from "./subscriptions.ts";
import type { SmartWorld } from "./world.ts";

export function subscriptionControl(world: SmartWorld): ControlRoute[] {
  return [
    {
      method: "GET",
      path: "/subscriptions",
      answer: () =>
        json(
          200,
          Object.fromEntries(
            [...world.companies.values()].map(({ id, subscriptions }) => [id, [...subscriptions.values()]]),
          ),
        ),
    },
    {
      method: "POST",
      path: "/subscriptions/:id",
      answer: ({ body }, param) =>
        withSubscription(world, param("id"), (subscription) => change(subscription, parseJson(body))),
    },
    {
      method: "POST",
      path: "/subscriptions/:id/rotate-secret",
      answer: (_call, param) =>
        withSubscription(world, param("id"), (subscription) => {
          subscription.secret = newSecret();
          return json(200, { secret: subscription.secret });
        }),
    },
    {
      method: "DELETE",
      path: "/subscriptions/:id",
      answer: (_call, param) =>
        withSubscription(world, param("id"), ({ id }, company) => {
          company.subscriptions.delete(id);
          return empty(204);
        }),
    },
  ];
}

function change(subscription: Subscription, input: unknown): Reply {
  if (!isRecord(input)) return badInput("a change is a JSON object");
  const { status = subscription.status, secret = subscription.secret } = input;
  const { targetUrl = subscription.targetUrl } = input;
  if (status !== "active" && status !== "inactive") return badInput('"status" must be active or inactive');
  if (typeof secret !== "string" || secret === "") return badInput('"secret" must be text');
  if (!isHttpUrl(targetUrl)) return badInput('"targetUrl" must be a URL');
  return json(200, Object.assign(subscription, { status, secret, targetUrl }));
}

function withSubscription(
  world: SmartWorld,
  id: string,
  act: (subscription: Subscription, company: Company) => Reply,
): Reply {
  for (const company of world.companies.values()) {
    const subscription = company.subscriptions.get(id);
    if (subscription) return act(subscription, company);
  }
  return json(404, { message: `there is no subscription ${id}` });
}
