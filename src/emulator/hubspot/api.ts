/** What every API call passes before its handler: token, rate limit, scopes, JSON body. */
import { isoTime } from "../../shared/clock.ts";
import { isRevoked, limitInForce } from "../faults.ts";
import { type Call, parseJson, type Reply } from "../http.ts";
import { admit, isUnlimited, type RateLimit } from "../rate-limit.ts";
import type { Found, Pattern } from "../routes.ts";
import { apiFailure, failure, invalid } from "./errors.ts";
import type { Version } from "./path.ts";
import type { Portal } from "./portal.ts";
import type { Grant } from "./grant.ts";
import type { HubspotWorld } from "./world.ts";

export interface ApiCall extends Call {
  version: Version;
  param(name: string): string;
  /** The parsed body of a POST or PATCH. */
  input: unknown;
  portal: Portal;
  /** When the call came, in ISO 8601. */
  at: string;
}

export interface ApiRoute extends Pattern {
  /** Any one of them suffices. */
  scopes: readonly string[];
  answer(call: ApiCall): Reply;
}

export function answerApi(
  world: HubspotWorld,
  call: Call,
  version: Version,
  { route, param }: Found<ApiRoute>,
): Reply {
  const grant = authenticate(world, call);
  if ("status" in grant) return grant;
  const { portal } = grant;
  const now = world.clock.now();
  const { limit, refused } = limitInForce(world.faults, call, world.limit);
  const { isAdmitted, remaining } = admit(portal.calls, limit, now);
  const headers = limitHeaders(limit, remaining);
  if (!isAdmitted) {
    refused();
    return tooManyRequests(limit, headers);
  }
  const input = call.body === "" ? undefined : parseJson(call.body);
  const reply =
    refuseScopes(grant, route.scopes) ??
    (input === undefined && call.body !== "" ? invalid("Invalid input JSON") : undefined) ??
    route.answer({ ...call, version, param, input, portal, at: isoTime(now) });
  return { ...reply, headers: { ...reply.headers, ...headers } };
}

function authenticate(world: HubspotWorld, call: Call): Grant | Reply {
  const text = /^Bearer (\S+)$/i.exec(call.headers.authorization ?? "")?.[1] ?? "";
  const access = world.accessTokens.get(text);
  if (!access || isRevoked(world.faults, call, String(access.grant.portal.id)))
    return apiFailure(401, {
      message:
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
      category: "INVALID_AUTHENTICATION",
    });
  const lateMs = world.clock.now() - access.expiresAt;
  if (lateMs < 0) return access.grant;
  return apiFailure(401, {
    message: `The OAuth token used to make this call expired ${Math.floor(lateMs / 1_000)} second(s) ago.`,
    category: "EXPIRED_AUTHENTICATION",
    context: { "expire time": [isoTime(access.expiresAt)] },
  });
}

/** What was granted counts, less what the portal's admin has taken back since. */
function refuseScopes({ scopes, portal }: Grant, anyOf: readonly string[]): Reply | undefined {
  const allowed = portal.profile.grantedScopes;
  if (anyOf.some((scope) => scopes.includes(scope) && (!allowed || allowed.includes(scope))))
    return undefined;
  const help = "https://developers.hubspot.com/scopes";
  return apiFailure(403, {
    message: `This app hasn't been granted all required scopes to make this call. Read more about required scopes here: ${help}.`,
    category: "MISSING_SCOPES",
    errors: [
      {
        message: "One or more of the following scopes are required.",
        context: { requiredGranularScopes: anyOf },
      },
    ],
    links: { scopes: help },
  });
}

/** The headers OAuth apps get; the daily ones are not sent to them. */
function limitHeaders(limit: RateLimit, remaining: number): Record<string, string> {
  if (isUnlimited(limit)) return {};
  return {
    "x-hubspot-ratelimit-max": String(limit.max),
    "x-hubspot-ratelimit-remaining": String(remaining),
    "x-hubspot-ratelimit-interval-milliseconds": String(limit.intervalMs),
  };
}

/** HubSpot promises no `Retry-After` here, and calls the kind `errorType`, not `category`. */
function tooManyRequests(limit: RateLimit, headers: Record<string, string>): Reply {
  const policyName = policyOf(limit);
  const message = `You have reached your ${policyName.toLowerCase()} limit.`;
  return failure(429, { message, errorType: "RATE_LIMIT", policyName }, headers);
}

function policyOf({ intervalMs }: RateLimit): string {
  if (intervalMs <= 1_000) return "SECONDLY";
  return intervalMs < 86_400_000 ? "TEN_SECONDLY_ROLLING" : "DAILY";
}
