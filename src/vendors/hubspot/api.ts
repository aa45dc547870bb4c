/** The one place that calls HubSpot's API: what its answers say, as data. */
import type { Clock } from "../../shared/clock.ts";
import type { Http } from "../../shared/http.ts";
import { type HttpAnswer, jsonOf } from "../../shared/http-answer.ts";
import { callWithToken } from "../calling/bearer-call.ts";
import type { Destination } from "../contract/destination.ts";
import type { Access } from "../contract/access.ts";
import type { RateLimit } from "../../core/delivery/rate-window.ts";
import { type Problem, readProblem } from "./problem.ts";
import type { Endpoints } from "./versions.ts";

export interface Api {
  http: Http;
  clock: Clock;
  /** Scheme and host, without a slash at its end. */
  base: string;
  paths: Endpoints;
  /** Whose account it is, for advice; absent where that is nobody's in particular. */
  place?: Destination["place"];
}

/** On whose behalf calls are made. */
export interface Caller extends Api {
  access: Access;
}

export interface ApiCall {
  method: "GET" | "POST" | "DELETE";
  path: string;
  json?: unknown;
}

export interface ApiAnswer {
  status: number;
  headers: Record<string, string>;
  /** Undefined when it was no JSON. */
  body: unknown;
  /** What the body says if this is an error; null when it is not HubSpot's own answer. */
  problem: Problem | null;
  correlationId: string | null;
  durationMs: number;
}

/** Answers and throws as `callWithToken` does. */
export async function callApi(caller: Caller, { path, ...call }: ApiCall): Promise<ApiAnswer> {
  const { http, access, base } = caller;
  return readAnswer(
    await callWithToken({ http, access, label: "HubSpot", rateOf }, { ...call, url: base + path }),
  );
}

/** https://developers.hubspot.com/changelog/rate-limit-headers-will-now-appear-for-oauth-authenticated-calls */
function rateOf({ headers }: HttpAnswer): RateLimit | null {
  const [calls = 0, windowMs = 0] = ["max", "interval-milliseconds"].map((name) =>
    Number.parseInt(headers[`x-hubspot-ratelimit-${name}`] ?? "", 10),
  );
  return calls > 0 && windowMs > 0 ? { calls, windowMs } : null;
}

function readAnswer(answer: HttpAnswer): ApiAnswer {
  const { status, headers, durationMs } = answer;
  const body = jsonOf(answer);
  const problem = readProblem(body);
  const correlationId = problem?.correlationId ?? headers["x-hubspot-correlation-id"] ?? null;
  return { status, headers, body, problem, correlationId, durationMs };
}
