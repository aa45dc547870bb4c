/** `/v1/webhooks/subscriptions`: who wants to hear of what. */
import { randomBytes } from "node:crypto";
import { empty, json, type Reply } from "../http.ts";
import type { ApiCall, ApiRoute } from "./api.ts";
import type { Subscription } from "./company.ts";
import { invalid, notFound } from "./errors.ts";
import { isHeaders, isHttpUrl } from "./input.ts";
import { answerPage } from "./pages.ts";
import { COMPLETED } from "./webhooks.ts";
import { nextId, type SmartWorld } from "./world.ts";

const SCOPE = "assessments:read";

export function subscriptionRoutes(world: SmartWorld): ApiRoute[] {
  return [
    {
      method: "POST",
      path: "/v1/webhooks/subscriptions",
      scope: SCOPE,
      answer: (call) => subscribe(world, call),
    },
    {
      method: "GET",
      path: "/v1/webhooks/subscriptions",
      scope: SCOPE,
      answer: (call) =>
        answerPage(world, call, { items: [...call.company.subscriptions.values()].map(withoutSecret) }),
    },
    {
      method: "GET",
      path: "/v1/webhooks/subscriptions/:id",
      scope: SCOPE,
      answer: ({ company, param }) => {
        const subscription = company.subscriptions.get(param("id"));
        return subscription ? json(200, withoutSecret(subscription)) : missing(param("id"));
      },
    },
    {
      method: "DELETE",
      path: "/v1/webhooks/subscriptions/:id",
      scope: SCOPE,
      answer: ({ company, param }) =>
        company.subscriptions.delete(param("id")) ? empty(204) : missing(param("id")),
    },
  ];
}

function subscribe(world: SmartWorld, { company, input }: ApiCall): Reply {
  const { event, targetUrl, headers = {} } = input;
  if (event !== COMPLETED) return invalid(`event must be ${COMPLETED}`);
  if (!isHttpUrl(targetUrl)) return invalid("targetUrl is no URL");
  if (!isHeaders(headers)) return invalid("headers must be an object of header names and texts");
  const subscription: Subscription = {
    id: nextId(world, "sub"),
    event,
    targetUrl,
    headers,
    secret: newSecret(),
    status: "active",
  };
  company.subscriptions.set(subscription.id, subscription);
  // The only answer that ever holds the secret.
  return json(201, subscription);
}

export function newSecret(): string {
  return randomBytes(32).toString("hex");
}

function withoutSecret({ secret: _, ...shown }: Subscription): Omit<Subscription, "secret"> {
  return shown;
}

function missing(id: string): Reply {
  return notFound(`There is no subscription ${id}`);
}
