/**
 * The contract that SmartRecruiters publishes: each of its APIs has a version of its own, or none. What its documents leave
 * open, and what matters here, is chosen by a setting (`docs/unconfirmed.md`), never by a fork.
 * https://developers.smartrecruiters.com/docs/access-scopes
 */
import type { RateLimit } from "../../../core/delivery/rate-window.ts";
import type { CallLimits } from "../../contract/access.ts";
import type { Problem } from "../calling/problem.ts";
import type { Endpoint, Profile } from "../calling/profile.ts";

const WEBHOOKS = "/webhooks-api/v201907/subscriptions";
const IN_JOB = "/candidates/{candidate}/jobs/{job}";

export const ENDPOINTS = {
  company: { method: "GET", path: "/configuration/company", scope: "configuration_read" },
  candidates: { method: "GET", path: "/candidates", scope: "candidates_read" },
  candidate: { method: "GET", path: "/candidates/{candidate}", scope: "candidates_read" },
  createCandidate: { method: "POST", path: "/candidates", scope: "candidates_create" },
  createInJob: { method: "POST", path: "/jobs/{job}/candidates", scope: "candidates_create" },
  removeCandidate: { method: "DELETE", path: "/candidates/{candidate}", scope: "candidates_manage" },
  application: { method: "GET", path: IN_JOB, scope: "candidates_read" },
  setStatus: { method: "PUT", path: `${IN_JOB}/status`, scope: "candidates_manage", doneBy: 204 },
  values: { method: "GET", path: `${IN_JOB}/properties`, scope: "candidates_read" },
  setValues: { method: "PUT", path: `${IN_JOB}/properties`, scope: "candidates_manage", doneBy: 204 },
  definitions: { method: "GET", path: "/configuration/candidate-properties", scope: "configuration_read" },
  definitionValues: {
    method: "GET",
    path: "/configuration/candidate-properties/{property}/values",
    scope: "configuration_read",
  },
  hiringProcesses: { method: "GET", path: "/configuration/hiring-processes", scope: "configuration_read" },
  hiringProcess: {
    method: "GET",
    path: "/configuration/hiring-processes/{process}",
    scope: "configuration_read",
  },
  job: { method: "GET", path: "/jobs/{job}", scope: "jobs_read" },
  share: { method: "POST", path: "/messages/shares", scope: "messages_write", doneBy: "no page" },
  subscriptions: { method: "GET", path: WEBHOOKS, scope: "webhooks_read" },
  subscribe: { method: "POST", path: WEBHOOKS, scope: "webhooks_write" },
  subscription: { method: "GET", path: `${WEBHOOKS}/{id}`, scope: "webhooks_read" },
  unsubscribe: { method: "DELETE", path: `${WEBHOOKS}/{id}`, scope: "webhooks_delete", doneBy: 204 },
  activate: { method: "PUT", path: `${WEBHOOKS}/{id}/activation`, scope: "webhooks_write", doneBy: 204 },
  makeKey: { method: "POST", path: `${WEBHOOKS}/{id}/secret-key`, scope: "webhooks_write" },
  callbacks: { method: "GET", path: `${WEBHOOKS}/{id}/callbacks-log`, scope: "webhooks_read" },
} as const satisfies Record<string, Endpoint>;

/** What the calls above need; `webhooks_manage` stands for all three of the webhooks'. */
export const SCOPES: readonly string[] = [
  "candidates_read",
  "candidates_create",
  "candidates_manage",
  "jobs_read",
  "configuration_read",
  "messages_write",
  "webhooks_read",
  "webhooks_write",
  "webhooks_delete",
];

/** What we subscribe to: a stage may ask for a test as soon as somebody is on the job. */
export const STAGE_EVENTS: readonly string[] = ["application.created", "application.status.updated"];

/** https://developers.smartrecruiters.com/docs/rate-limiting */
export const AT_ONCE = 8;
const ONE_AT_A_TIME = "GET /candidates";

const DAY_MS = 24 * 3_600_000;
/** Each is good once, and counts anew with each refresh. */
export const REFRESH_TOKEN_LIFE_MS = 28 * DAY_MS;

/** Of an endpoint so many calls a second. */
export function publishedProfile(callsPerSecond: number): Profile {
  const rateLimit = { calls: callsPerSecond, windowMs: 1_000 };
  return {
    scopes: SCOPES,
    speaksOfScope,
    refusesThing,
    rateLimit,
    limitsOf: (endpoint) => limitsOf(endpoint, rateLimit),
  };
}

/** The name of that error is published, the JSON around it is not: it may stand anywhere. */
function speaksOfScope({ code, message }: Problem): boolean {
  return code === null || /OAuthPermissions|scope/i.test(`${code} ${message}`);
}

/** Several of the vendor's calls answer "may not see this" with 401: a code of that kind says nothing about the token. */
function refusesThing({ code }: Problem): boolean {
  return /NOT_AUTHORIZED|PERMISSION|NO_ACCESS|ACCESS_DENIED/.test(code ?? "");
}

/** By path template: whether the vendor counts by that or by path, its documents do not say, and this is the stricter one. */
function limitsOf({ method, path }: Endpoint, rateLimit: RateLimit): CallLimits {
  const name = `${method} ${path}`;
  return {
    name,
    rateLimit,
    atOnce: AT_ONCE,
    ...(name === ONE_AT_A_TIME ? { ofKindAtOnce: 1 } : {}),
  };
}
