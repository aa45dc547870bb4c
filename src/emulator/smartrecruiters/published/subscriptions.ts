/** `/webhooks-api/v201907/subscriptions`: who wants to hear of what, its keys, and the handshake that activates it. */
import { randomBytes } from "node:crypto";
import { isoTime } from "../../../shared/clock.ts";
import { empty, isStringArray, json, type Reply } from "../../http.ts";
import { failure, notFound } from "../errors.ts";
import { isHttpUrl } from "../input.ts";
import { nextId, type SmartWorld } from "../world.ts";
import { inputRecord, type PublishedCall, type PublishedRoute } from "./api.ts";
import type { LoggedCallback, PublishedSubscription } from "./company.ts";
import { handshake, liveKeysOf } from "./deliveries.ts";

const PATH = "/webhooks-api/v201907/subscriptions";
const MOST_SUBSCRIPTIONS = 20;
const MOST_KEYS = 16;
const DAY_MS = 24 * 3_600_000;
const LOG_DAYS = 30;

export function subscriptionRoutes(world: SmartWorld): PublishedRoute[] {
  const [read, write] = ["webhooks_read", "webhooks_write"];
  return [
    { method: "POST", path: PATH, scope: write, answer: (call) => create(world, call) },
    {
      method: "GET",
      path: PATH,
      scope: read,
      answer: (call) => page(call, [...call.company.published.subscriptions.values()].map(show)),
    },
    {
      method: "GET",
      path: `${PATH}/:id`,
      scope: read,
      answer: (call) => withSubscription(call, (each) => json(200, show(each))),
    },
    {
      method: "DELETE",
      path: `${PATH}/:id`,
      scope: "webhooks_delete",
      answer: ({ company, param }) =>
        company.published.subscriptions.delete(param("id")) ? empty(204) : missing(param("id")),
    },
    {
      method: "PUT",
      path: `${PATH}/:id/activation`,
      scope: write,
      answer: async (call) => {
        const found = call.company.published.subscriptions.get(call.param("id"));
        return found ? await activate(world, found) : missing(call.param("id"));
      },
    },
    {
      method: "POST",
      path: `${PATH}/:id/secret-key`,
      scope: write,
      answer: (call) => withSubscription(call, (each) => makeKey(world, each)),
    },
    {
      method: "GET",
      path: `${PATH}/:id/secret-key`,
      scope: read,
      answer: (call) =>
        withSubscription(call, ({ keys }) => {
          const newest = keys.at(-1);
          return newest ? json(200, { secretKey: newest.secretKey }) : notFound("There is no secret key");
        }),
    },
    {
      method: "GET",
      path: `${PATH}/:id/callbacks-log`,
      scope: read,
      answer: (call) => withSubscription(call, (each) => logOf(world, call, each)),
    },
  ];
}

function create(world: SmartWorld, call: PublishedCall): Reply {
  const { callbackUrl, events } = inputRecord(call);
  const { subscriptions } = call.company.published;
  if (subscriptions.size >= MOST_SUBSCRIPTIONS)
    return failure(403, "SUBSCRIPTIONS_LIMIT_EXCEEDED", "There are 20 subscriptions already");
  if (!isCallbackUrl(callbackUrl)) return failure(422, "INVALID_CALLBACK_URL", "callbackUrl must be https");
  if (!isStringArray(events) || events.length === 0 || new Set(events).size < events.length)
    return failure(422, "INVALID_EVENTS", "events must be unique names, at least one");
  const subscription: PublishedSubscription = {
    id: nextId(world, "psub"),
    callbackUrl,
    events: events.map((name) => ({ name, version: "v201910" })),
    status: "inactive",
    keys: [],
    failures: 0,
    log: [],
  };
  subscriptions.set(subscription.id, subscription);
  return json(201, show(subscription));
}

/** https alone, but for receivers on this very machine. */
function isCallbackUrl(url: unknown): url is string {
  return (
    isHttpUrl(url) && (url.startsWith("https:") || /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/]/.test(url))
  );
}

async function activate(world: SmartWorld, subscription: PublishedSubscription): Promise<Reply> {
  if (subscription.status === "active") return failure(409, "ALREADY_ACTIVE", "It is active already");
  if (subscription.status !== "inactive" && !world.published.canReactivate)
    return failure(409, "SUSPENDED", "A suspended subscription is not activated again");
  if (!(await handshake(world, subscription)))
    return failure(424, "HANDSHAKE_FAILED", "The receiver did not answer the handshake");
  Object.assign(subscription, { status: "active", failures: 0 });
  return empty(204);
}

function makeKey(world: SmartWorld, subscription: PublishedSubscription): Reply {
  const now = world.clock.now();
  const texts = liveKeysOf(subscription.keys, now);
  const live = subscription.keys.filter(({ secretKey }) => texts.includes(secretKey));
  if (live.length >= MOST_KEYS)
    return failure(403, "SECRET_KEYS_LIMIT_EXCEEDED", "There are 16 live secret keys already");
  const secretKey = randomBytes(24).toString("base64url");
  subscription.keys = [...live, { secretKey, madeAt: now }];
  return json(201, { secretKey });
}

function logOf(world: SmartWorld, call: PublishedCall, { log }: PublishedSubscription): Reply {
  const { query } = call;
  const oldest = world.clock.now() - LOG_DAYS * DAY_MS;
  const [after, before] = [query.get("after"), query.get("before")];
  if ([after, before].some((time) => time !== null && !isMoment(time)))
    return failure(400, "INVALID_DATE", "after and before are ISO 8601 with milliseconds and zone");
  if (after !== null && Date.parse(after) < oldest - 60_000)
    return failure(400, "INVALID_DATE", "after lies more than 30 days back");
  const wanted = query.get("callbackStatus");
  const from = Math.max(oldest, after === null ? oldest : Date.parse(after));
  const until = before === null ? Number.POSITIVE_INFINITY : Date.parse(before);
  const found = log.filter(
    ({ status, at }) => (wanted === null || status === wanted) && at >= from && at < until,
  );
  return page(call, found.toReversed().map(showLogged));
}

function isMoment(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:?\d\d)$/.test(text);
}

/** Without an envelope; the next page is named by `Link` alone, as `page_id`. */
function page({ query, path }: PublishedCall, items: readonly object[]): Reply {
  const limit = Number(query.get("limit") ?? 10);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100)
    return failure(400, "INVALID_LIMIT", "limit must be from 1 to 100");
  const offset = Number(query.get("page_id") ?? 0);
  const end = offset + limit;
  const next = new URLSearchParams(query);
  next.set("page_id", String(end));
  const headers: Record<string, string> =
    end >= items.length ? {} : { link: `<https://api.smartrecruiters.com${path}?${next}>; rel="next"` };
  return json(200, items.slice(offset, end), headers);
}

function withSubscription(call: PublishedCall, act: (subscription: PublishedSubscription) => Reply): Reply {
  const found = call.company.published.subscriptions.get(call.param("id"));
  return found ? act(found) : missing(call.param("id"));
}

function missing(id: string): Reply {
  return failure(404, "SUBSCRIPTION_NOT_FOUND", `There is no subscription ${id}`);
}

function show({ id, callbackUrl, events, status }: PublishedSubscription): object {
  return { id, callbackUrl, events, status };
}

function showLogged({ status, at, url, body, headers }: LoggedCallback): object {
  return { status, timestamp: isoTime(at), requestDetails: { url, body, headers } };
}
