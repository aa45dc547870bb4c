/** What every API call passes before its handler: token, rate limit, scope, JSON body. */
import { isRevoked, limitInForce } from "../faults.ts";
import { type Call, isRecord, parseJson, type Reply } from "../http.ts";
import { admit, isUnlimited } from "../rate-limit.ts";
import type { Found, Pattern } from "../routes.ts";
import type { Company } from "./company.ts";
import { failure } from "./errors.ts";
import type { Grant } from "./grant.ts";
import { LIMIT, type SmartWorld } from "./world.ts";

export interface ApiCall extends Call {
  param(name: string): string;
  /** The parsed body; an empty one where none was sent. */
  input: Record<string, unknown>;
  company: Company;
  now: number;
}

export interface ApiRoute extends Pattern {
  scope: string;
  answer(call: ApiCall): Reply;
}

export function answerApi(world: SmartWorld, call: Call, { route, param }: Found<ApiRoute>): Reply {
  const grant = authenticate(world, call);
  if (!grant) return failure(401, "UNAUTHENTICATED", "The access token is missing, expired or revoked");
  const { company } = grant;
  const now = world.clock.now();
  const { limit, refused } = limitInForce(world.faults, call, LIMIT);
  const { isAdmitted, remaining } = admit(company.calls, limit, now);
  const headers: Record<string, string> = isUnlimited(limit)
    ? {}
    : { "X-RateLimit-Limit": String(limit.max), "X-RateLimit-Remaining": String(remaining) };
  if (!isAdmitted) {
    refused();
    return failure(429, "TOO_MANY_REQUESTS", "Too many requests", headers);
  }
  const reply = answerWithin(world, { ...call, param, company, now }, grant, route);
  return { ...reply, headers: { ...reply.headers, ...headers } };
}

function answerWithin(
  world: SmartWorld,
  call: Omit<ApiCall, "input">,
  grant: Grant,
  { scope, answer }: ApiRoute,
): Reply {
  if (!isAllowed(world, grant, scope))
    return failure(403, "OAuthPermissionsException", `Missing scope ${scope}`);
  const input = call.body === "" ? {} : parseJson(call.body);
  if (!isRecord(input)) return failure(400, "INVALID_JSON", "The body is no JSON object");
  return answer({ ...call, input });
}

function authenticate(world: SmartWorld, call: Call): Grant | undefined {
  const text = /^Bearer (\S+)$/i.exec(call.headers.authorization ?? "")?.[1] ?? "";
  const access = world.accessTokens.get(text);
  if (!access || access.expiresAt <= world.clock.now()) return undefined;
  return isRevoked(world.faults, call, access.grant.company.id) ? undefined : access.grant;
}

/** What was granted counts, less what the company's admin has taken back since. */
function isAllowed({ grantedScopes }: SmartWorld, { scopes }: Grant, scope: string): boolean {
  return scopes.includes(scope) && (grantedScopes?.includes(scope) ?? true);
}
