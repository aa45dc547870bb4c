/** The one place that calls HubSpot's API: token, one renewal of it, and the answer as data. */
import type { Clock } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";
import { type Http, type HttpAnswer, jsonOf } from "../../shared/http.ts";
import type { Secret } from "../../shared/secret.ts";
import type { Access } from "../contract.ts";
import { type Problem, readProblem } from "./problem.ts";
import type { Endpoints } from "./versions.ts";

export interface Api {
  http: Http;
  clock: Clock;
  /** Scheme and host, without a slash at its end. */
  base: string;
  paths: Endpoints;
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

/**
 * Answers any status but 401. Throws `VENDOR_UNAVAILABLE` when HubSpot cannot be reached or refuses even a renewed
 * token, the signal's reason when it aborts, and whatever `token()` throws.
 */
export async function callApi(caller: Caller, call: ApiCall): Promise<ApiAnswer> {
  const first = await request(caller, { ...call, token: await caller.access.token() });
  // Clock skew and long runs let tokens expire early: https://github.com/airbytehq/airbyte/issues/74726
  const answer =
    first.status === 401
      ? await request(caller, { ...call, token: await caller.access.token({ renewed: true }) })
      : first;
  if (answer.status === 401)
    throw new AppError("VENDOR_UNAVAILABLE", "HubSpot refuses a token that it has just renewed", {
      hint: "Nothing to do at first: this counts as an outage. If it lasts, ask for HubSpot's status page.",
    });
  return readAnswer(answer);
}

async function request(caller: Caller, call: ApiCall & { token: Secret }): Promise<HttpAnswer> {
  const { path, ...rest } = call;
  await caller.access.slot();
  const answer = await caller.http.request({
    ...rest,
    url: caller.base + path,
    signal: caller.access.signal,
  });
  const told = rateOf(answer);
  if (told) await caller.access.heed(told);
  return answer;
}

/** https://developers.hubspot.com/changelog/rate-limit-headers-will-now-appear-for-oauth-authenticated-calls */
function rateOf({ headers }: HttpAnswer): { calls: number; remaining: number; windowMs: number } | null {
  const [calls, remaining, windowMs] = ["max", "remaining", "interval-milliseconds"].map((name) =>
    Number.parseInt(headers[`x-hubspot-ratelimit-${name}`] ?? "", 10),
  );
  return calls && remaining !== undefined && remaining >= 0 && windowMs
    ? { calls, remaining, windowMs }
    : null;
}

function readAnswer(answer: HttpAnswer): ApiAnswer {
  const { status, headers, durationMs } = answer;
  const body = jsonOf(answer);
  const problem = readProblem(body);
  const correlationId = problem?.correlationId ?? headers["x-hubspot-correlation-id"] ?? null;
  return { status, headers, body, problem, correlationId, durationMs };
}
