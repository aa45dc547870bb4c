/** The one place that calls SmartRecruiters' API: endpoints become calls, and answers data. */
import type { RateLimit } from "../../../core/delivery/rate-window.ts";
import type { Clock } from "../../../shared/clock.ts";
import { AppError } from "../../../shared/errors.ts";
import type { Http } from "../../../shared/http.ts";
import { type HttpAnswer, jsonOf } from "../../../shared/http-answer.ts";
import type { Secret } from "../../../shared/secret.ts";
import { callWithToken } from "../../calling/bearer-call.ts";
import type { Destination } from "../../contract/destination.ts";
import type { Access } from "../../contract/access.ts";
import { type Problem, readProblem } from "./problem.ts";
import type { Endpoint, Profile } from "./profile.ts";

export interface Api {
  http: Http;
  clock: Clock;
  /** Scheme and host, without a slash at its end. */
  base: string;
  profile: Profile;
  /** Whose account it is, for advice; absent where that is nobody's in particular. */
  place?: Destination["place"];
}

/** On whose behalf calls are made. */
export interface Caller extends Api {
  access: Access;
}

export interface ApiCall {
  endpoint: Endpoint;
  /** What the endpoint's path leaves open. */
  params?: Readonly<Record<string, string>>;
  query?: Readonly<Record<string, string>>;
  json?: unknown;
  headers?: Record<string, string>;
}

export interface ApiAnswer {
  endpoint: Endpoint;
  status: number;
  headers: Record<string, string>;
  /** Undefined when it was no JSON. */
  body: unknown;
  /** It brought a text that is no JSON, as something on the way does. */
  isPage: boolean;
  /** What the body says if this is an error; null when it is not SmartRecruiters' own answer. */
  problem: Problem | null;
  correlationId: string | null;
  durationMs: number;
}

/** Answers and throws as `callWithToken` does. */
export async function callApi(
  { http, access, base, profile }: Caller,
  { endpoint, params = {}, query = {}, ...call }: ApiCall,
): Promise<ApiAnswer> {
  const search = new URLSearchParams(query).toString();
  const url = `${base}${filled(endpoint.path, params)}${search && `?${search}`}`;
  const { windowMs } = profile.rateLimit;
  const limits = profile.limitsOf?.(endpoint);
  const answer = await callWithToken(
    {
      ...{ http, access, label: "SmartRecruiters", rateOf: (told: HttpAnswer) => rateOf(told, windowMs) },
      ...(access.opensBy === "api-key" ? { headersOf: keyHeader } : {}),
      ...(limits ? { limits } : {}),
      isAboutThing: (told) => isAboutThing(profile, told),
    },
    { ...call, method: endpoint.method, url },
  );
  const { status, headers, durationMs } = answer;
  const body = jsonOf(answer);
  const correlationId = headers["x-request-id"] ?? null;
  const isPage = body === undefined && answer.text.trim() !== "";
  return { endpoint, status, headers, body, isPage, problem: readProblem(body), correlationId, durationMs };
}

function isAboutThing({ refusesThing }: Profile, answer: HttpAnswer): boolean {
  const problem = readProblem(jsonOf(answer));
  return problem !== null && refusesThing?.(problem) === true;
}

/** https://developers.smartrecruiters.com/docs/get-started */
function keyHeader(key: Secret) {
  return { "X-SmartToken": key };
}

function filled(path: string, params: Readonly<Record<string, string>>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => segmentOf(params[name]));
}

function segmentOf(value = ""): string {
  if (isSegment(value)) return encodeURIComponent(value);
  throw new AppError("USAGE", `${JSON.stringify(value)} names nothing in SmartRecruiters`);
}

/** `..` would leave its place in the path, escaped or not, and half a character cannot be escaped. */
export function isSegment(value: string): boolean {
  return !/^\.{0,2}$/.test(value) && !/\p{Cs}/u.test(value);
}

/** https://developers.smartrecruiters.com/docs/rate-limiting */
function rateOf({ headers }: HttpAnswer, windowMs: number): RateLimit | null {
  const calls = Number.parseInt(headers["x-ratelimit-limit"] ?? "", 10);
  return calls > 0 ? { calls, windowMs } : null;
}
