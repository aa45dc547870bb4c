/** What HubSpot's answer to a batch upsert says about each of its records. Pure. */
import * as v from "valibot";
import { emailKey } from "../../core/event.ts";
import type { Rejection } from "../../core/push.ts";
import type { Answer } from "../../core/delivery/answer.ts";
import type { Update } from "../contract/destination.ts";
import type { ApiAnswer } from "./api.ts";
import { type Problem, readProblem } from "./problem.ts";
import { missingScope, refusalOfCall, verdictOf, waitUntil } from "./verdict.ts";

/** One answer for each update, in their order. */
export function readAnswers(
  updates: readonly Update[],
  answer: UpsertAnswer,
  now: number,
  timeZone?: string,
): Answer[] {
  const verdict = verdictOf(answer, now, timeZone);
  switch (verdict.kind) {
    case "done":
      return readRecords(updates, answer);
    case "later":
      return updates.map(() => later(answer, verdict));
    case "scope":
      return updates.map(() => ({ kind: "held", cause: "scope", detail: verdict.detail }));
    case "refused": {
      const reason = refusalOfCall(answer);
      if (reason === null) return readRefusal(updates, answer, verdict.problem);
      const notBefore = waitUntil(answer, { now, timeZone });
      return updates.map(() => later(answer, { reason, notBefore }));
    }
  }
}

const text = v.fallback(v.string(), "");
const Result = v.object({
  id: text,
  objectWriteTraceId: text,
  new: v.fallback(v.boolean(), false),
  properties: v.fallback(v.object({ email: text }), { email: "" }),
});
/** Whether the status is 200 or 207: the 2026-09 specification has errors under 200 too, so the body decides. */
const Body = v.object({
  results: v.fallback(v.array(v.fallback(Result, emptyResult)), []),
  errors: v.fallback(v.array(v.unknown()), []),
});

function emptyResult() {
  return { id: "", objectWriteTraceId: "", new: false, properties: { email: "" } };
}

/** What an upsert says that it wrote, and what not. */
export type Written = v.InferOutput<typeof Body>;

/** An answer that is read twice is parsed once. */
export interface UpsertAnswer extends ApiAnswer {
  written?: Written;
}

export function writtenIn({ body }: ApiAnswer): Written {
  const parsed = v.safeParse(Body, body);
  return parsed.success ? parsed.output : { results: [], errors: [] };
}

/** The subjects that HubSpot made a contact for. */
export function madeIn(updates: readonly Update[], { results }: Written): string[] {
  const made = results.filter((result) => result.new);
  const names = new Set(made.map((result) => result.objectWriteTraceId || emailKey(result.properties.email)));
  return updates.flatMap(({ subject, traceId }) =>
    names.has(traceId) || names.has(subject) ? [subject] : [],
  );
}

/**
 * Results come in any order and with addresses in lower case, so a record is known by its trace id or its address,
 * never by its place. One that is neither confirmed nor refused was not written: HubSpot is known to answer 2xx
 * with nothing in it.
 */
function readRecords(updates: readonly Update[], answer: UpsertAnswer): Answer[] {
  const { results, errors } = answer.written ?? writtenIn(answer);
  // The address is that of the contact, which another record may have met by a secondary one: it counts last.
  const confirmed = new Set(
    results.map((result) => result.objectWriteTraceId || emailKey(result.properties.email)),
  );
  const isConfirmed = (update: Update) => confirmed.has(update.traceId) || confirmed.has(update.subject);

  const refusals = errors
    .map(readProblem)
    .filter((problem) => problem !== null)
    .map((problem) => ({
      problem,
      answer: refusal(problem, answer),
      // The address of a confirmed record may stand in the error of another.
      blamed: blamedBy(problem, updates, (update) => !isConfirmed(update)),
    }))
    .sort((one, other) => rankOf(one.answer) - rankOf(other.answer));
  const own = new Map(
    updates.map((update) => [update, refusals.find(({ blamed }) => blamed.includes(update))?.answer]),
  );
  const anonymous = refusals.find(({ blamed }) => blamed.length === 0);
  const unheard = updates.filter((update) => !own.get(update) && !isConfirmed(update));
  const isAllDone =
    answer.status <= 201 && errors.length === 0 && strangers(results, updates) === unheard.length;

  return updates.map((update) => {
    const refused = own.get(update);
    if (refused) return refused;
    if (isConfirmed(update) || isAllDone) return { kind: "accepted" };
    if (!anonymous)
      return later(answer, { reason: "HubSpot neither confirmed nor refused the record", notBefore: null });
    if (unheard.length === 1 || isForAll(anonymous.problem)) return anonymous.answer;
    return { kind: "split", rejection: rejectionOf(anonymous.problem, answer), suspect: true };
  });
}

/**
 * How many contacts were written that nothing tells whose they are: without a trace id, and met by another address
 * than ours. Where they are as many as the records nobody heard of, HubSpot has written these.
 */
function strangers(results: readonly v.InferOutput<typeof Result>[], updates: readonly Update[]): number {
  const subjects = new Set(updates.map(({ subject }) => subject));
  return results.filter(
    ({ id, objectWriteTraceId, properties }) =>
      id !== "" && objectWriteTraceId === "" && !subjects.has(emailKey(properties.email)),
  ).length;
}

/**
 * The call was refused whole, as it happens in spite of trace ids: for duplicate ids (400), for a conflict of
 * identities (409), or for being too large (413). https://github.com/airbytehq/airbyte/pull/76340
 */
function readRefusal(updates: readonly Update[], answer: ApiAnswer, problem: Problem): Answer[] {
  if (updates.length === 1 || isForAll(problem)) return updates.map(() => refusal(problem, answer));
  const missing = missingProperty(problem);
  const bearers = missing ? updates.filter(({ projection }) => Object.hasOwn(projection, missing)) : [];
  const blamed = bearers.length > 0 ? bearers : blamedBy(problem, updates);
  return updates.map((update) => {
    // Each of them would be refused alone for the same reason.
    if (bearers.includes(update)) return refusal(problem, answer);
    const suspect = blamed.length === 0 || blamed.includes(update);
    return { kind: "split", rejection: rejectionOf(problem, answer), suspect };
  });
}

function refusal(problem: Problem, answer: ApiAnswer): Answer {
  const missing = missingProperty(problem);
  if (missing !== null) return { kind: "held", cause: "property", detail: missing };
  const scope = missingScope(problem);
  if (scope !== null) return { kind: "held", cause: "scope", detail: scope };
  const reason = passingTrouble(problem);
  if (reason !== null) return later(answer, { reason, notBefore: null, isThrottle: isLimit(problem) });
  const rejection = rejectionOf(problem, answer);
  return isClash(problem, answer)
    ? { kind: "rejected", rejection, mayPass: true }
    : { kind: "rejected", rejection };
}

const CLASH_CATEGORIES = ["CONFLICT", "OBJECT_ALREADY_EXISTS"];

/** Nothing says which value clashes: somebody may have created the contact at that very moment. */
function isClash({ category, details }: Problem, { status }: ApiAnswer): boolean {
  return details.length === 0 && (status === 409 || CLASH_CATEGORIES.includes(category ?? ""));
}

/** Where HubSpot says several things of one record: the lowest is what to heed. */
function rankOf(answer: Answer): number {
  if (answer.kind === "held") return answer.cause === "property" ? 0 : 1;
  return answer.kind === "rejected" ? 2 : 3;
}

/** No record's content is to blame, so sending them apart would tell nothing. */
function isForAll(problem: Problem): boolean {
  if (missingProperty(problem) !== null) return false;
  return missingScope(problem) !== null || passingTrouble(problem) !== null;
}

/** HubSpot publishes no list of its categories: besides the one seen, these are named for what they would mean. */
const LIMIT_CATEGORIES = ["RATE_LIMITS", "RATE_LIMITED", "RATE_LIMIT"];
const TROUBLE_CATEGORIES = [
  "INTERNAL_ERROR",
  "INTERNAL_SERVER_ERROR",
  "SERVER_ERROR",
  "SERVICE_UNAVAILABLE",
  "BAD_GATEWAY",
  "GATEWAY_TIMEOUT",
  "TIMEOUT",
  "LOCKED",
];

/** Why the record has to wait, in words; null when waiting is no cure. */
function passingTrouble(problem: Problem): string | null {
  const { category } = problem;
  if (isLimit(problem)) return "HubSpot's limit stopped the record";
  if (TROUBLE_CATEGORIES.includes(category ?? "")) return `HubSpot had trouble of its own (${category})`;
  return null;
}

function isLimit({ category, policyName }: Problem): boolean {
  return policyName !== null || LIMIT_CATEGORIES.includes(category ?? "");
}

/** Whatever the value is: the portal does not have the property, or lets nobody write it. */
const PROPERTY_CODES = ["PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"];

/** The name of a property that takes no value; empty when HubSpot does not name it. */
function missingProperty(problem: Problem): string | null {
  const detail = problem.details.find(({ code }) => code !== null && PROPERTY_CODES.includes(code));
  return detail ? (detail.property ?? "") : null;
}

/**
 * Whom the problem names: by trace id, else by an address in its context, else by one in its message. Addresses
 * beside a trace id are those of the contacts it clashed with. `byAddress`: who may be meant by one.
 */
function blamedBy(
  problem: Problem,
  updates: readonly Update[],
  byAddress: (update: Update) => boolean = () => true,
): Update[] {
  const traced = updates.filter(({ traceId }) => problem.named.includes(traceId));
  if (traced.length > 0 || problem.traceIds.length > 0) return traced;
  const candidates = updates.filter(byAddress);
  const addresses = problem.named.map(emailKey);
  const named = candidates.filter(({ subject }) => addresses.includes(subject));
  return named.length > 0 ? named : candidates.filter(({ subject }) => problem.mentioned.includes(subject));
}

function rejectionOf({ message, category, details, correlationId }: Problem, answer: ApiAnswer): Rejection {
  return {
    message,
    category,
    field: details.find(({ property }) => property !== null)?.property ?? null,
    httpStatus: answer.status,
    correlationId: correlationId ?? answer.correlationId,
  };
}

/** "Too many", "locked" and "moving": https://developers.hubspot.com/docs/api-reference/error-handling */
const THROTTLES = [429, 423, 477];

export function later(
  { status, correlationId }: ApiAnswer,
  {
    reason,
    notBefore,
    isThrottle = THROTTLES.includes(status),
  }: { reason: string; notBefore: number | null; isThrottle?: boolean },
): Answer {
  return { kind: "retry", isThrottle, reason, httpStatus: status, notBefore, correlationId };
}
