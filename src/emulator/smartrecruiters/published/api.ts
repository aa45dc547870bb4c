/** What every call of the published face passes before its handler: credential, limits, scope, JSON body. */
import { isRevoked, limitInForce } from "../../faults.ts";
import { type Call, isRecord, json, parseJson, type Reply } from "../../http.ts";
import { admit, isUnlimited, noCalls, type RateLimit } from "../../rate-limit.ts";
import type { Found, Pattern } from "../../routes.ts";
import type { Company } from "../company.ts";
import { failure } from "../errors.ts";
import { companyOf, type SmartWorld } from "../world.ts";
import { ALL_SCOPES, hasScope } from "./scopes.ts";

export interface PublishedCall extends Call {
  param(name: string): string;
  /** The parsed body; undefined where none was sent. */
  input: unknown;
  company: Company;
  now: number;
}

export interface PublishedRoute extends Pattern {
  scope: string;
  answer(call: PublishedCall): Reply | Promise<Reply>;
}

interface Credential {
  company: Company;
  scopes: readonly string[];
}

/** One at a time, says https://developers.smartrecruiters.com/docs/rate-limiting */
const ALONE = "GET /candidates";

export async function answerPublished(
  world: SmartWorld,
  call: Call,
  { route, param }: Found<PublishedRoute>,
): Promise<Reply> {
  const credential = authenticate(world, call);
  if (!credential) return failure(401, "UNAUTHENTICATED", "The credential is missing, expired or revoked");
  const { company } = credential;
  const { published } = company;
  const endpoint = `${route.method} ${route.path}`;
  const now = world.clock.now();
  const counted = world.published.endpointIs === "path" ? `${route.method} ${call.path}` : endpoint;
  const { limit, refused } = limitInForce(world.faults, call, limitOf(world));
  const calls = published.calls.get(counted) ?? noCalls();
  published.calls.set(counted, calls);
  const most = endpoint === ALONE ? 1 : world.published.mostAtOnce;
  const running = (endpoint === ALONE ? published.atOnceBy.get(endpoint) : published.atOnce) ?? 0;
  const { isAdmitted, remaining } = admit(calls, limit, now);
  const headers: Record<string, string> = {
    ...(isUnlimited(limit)
      ? {}
      : { "X-RateLimit-Limit": String(limit.max), "X-RateLimit-Remaining": String(remaining) }),
    "X-RateLimit-Concurrent-Limit": String(most),
    "X-RateLimit-Concurrent-Remaining": String(Math.max(0, most - running - 1)),
  };
  if (!isAdmitted || running >= most) {
    refused();
    return failure(429, "TOO_MANY_REQUESTS", "Too many requests", headers);
  }
  const leave = enter(company, endpoint);
  try {
    if (world.published.latencyMs > 0) await world.clock.sleep(world.published.latencyMs, world.signal);
    const reply = await answerWithin(world, { ...call, param, company, now }, credential, route);
    return { ...reply, headers: { ...reply.headers, ...headers } };
  } finally {
    leave();
  }
}

function limitOf({ published: { endpointLimit } }: SmartWorld): RateLimit {
  return { max: endpointLimit === 0 ? Number.POSITIVE_INFINITY : endpointLimit, intervalMs: 1_000 };
}

function enter({ published }: Company, endpoint: string): () => void {
  const move = (by: number) => {
    published.atOnce += by;
    published.atOnceBy.set(endpoint, (published.atOnceBy.get(endpoint) ?? 0) + by);
    published.mostAtOnce = Math.max(published.mostAtOnce, published.atOnce);
  };
  move(1);
  return () => move(-1);
}

async function answerWithin(
  world: SmartWorld,
  call: Omit<PublishedCall, "input">,
  { scopes }: Credential,
  { scope, answer }: PublishedRoute,
): Promise<Reply> {
  if (!hasScope(scopes, scope) || !(world.grantedScopes === null || hasScope(world.grantedScopes, scope)))
    return missing(world, scope);
  const input = call.body === "" ? undefined : parseJson(call.body);
  if (call.body !== "" && input === undefined) return failure(400, "INVALID_JSON", "The body is no JSON");
  return await answer({ ...call, input });
}

/** Its name is published, the JSON around it is not. */
function missing({ published: { scopeError } }: SmartWorld, scope: string): Reply {
  const message = `OAuthPermissionsException: missing scope ${scope}`;
  return scopeError === "code" ? failure(403, "OAuthPermissionsException", message) : json(403, { message });
}

/** A token of the app, or a key of the company, which may do everything. */
function authenticate(world: SmartWorld, call: Call): Credential | undefined {
  const { "x-smarttoken": key, authorization } = call.headers;
  if (typeof key === "string") return ofKey(world, call, key);
  const text = /^Bearer (\S+)$/i.exec(authorization ?? "")?.[1] ?? "";
  const access = world.accessTokens.get(text);
  if (!access || access.expiresAt <= world.clock.now()) return undefined;
  const { company, scopes } = access.grant;
  return isRevoked(world.faults, call, company.id) ? undefined : { company, scopes };
}

function ofKey(world: SmartWorld, call: Call, key: string): Credential | undefined {
  if (key === "" || key === "wrong") return undefined;
  const company = companyOf(world, KEY_COMPANY);
  if (isRevoked(world.faults, call, company.id)) return undefined;
  return { company, scopes: [...ALL_SCOPES, "webhooks_manage"] };
}

/** Whose any key is, unless the settings say otherwise. */
const KEY_COMPANY = "emulated-ltd";

export function inputRecord({ input }: PublishedCall): Record<string, unknown> {
  return isRecord(input) ? input : {};
}
