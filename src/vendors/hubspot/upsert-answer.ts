/** What HubSpot's answer to a batch upsert says about each of its records. Pure. */
import * as v from "valibot";
import { emailKey } from "../../core/event.ts";
import type { Rejection } from "../../core/push.ts";
import type { Answer, Update } from "../contract.ts";
import type { ApiAnswer } from "./api.ts";
import { type Problem, readProblem } from "./problem.ts";
import { refusalOfCall, verdictOf, waitUntil } from "./verdict.ts";

/** One answer for each update, in their order. */
export function readAnswers(
  updates: readonly Update[],
  answer: ApiAnswer,
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
  objectWriteTraceId: text,
  properties: v.fallback(v.object({ email: text }), { email: "" }),
});
/** Whether the status is 200 or 207: the 2026-09 specification has errors under 200 too, so the body decides. */
const Body = v.object({
  results: v.fallback(v.array(v.fallback(Result, { objectWriteTraceId: "", properties: { email: "" } })), []),
  errors: v.fallback(v.array(v.unknown()), []),
});

/**
 * Results come in any order and with addresses in lower case, so a record is known by its trace id or its address,
 * never by its place. One that is neither confirmed nor refused was not written: HubSpot is known to answer 2xx
 * with nothing in it.
 */
function readRecords(updates: readonly Update[], answer: ApiAnswer): Answer[] {
  const parsed = v.safeParse(Body, answer.body);
  const { results, errors } = parsed.success ? parsed.output : { results: [], errors: [] };
  // The address is that of the contact, which another record may have met by a secondary one: it counts last.
  const confirmed = new Set(
    results.map((result) => result.objectWriteTraceId || emailKey(result.properties.email)),
  );
  const isConfirmed = (update: Update) => confirmed.has(update.traceId) || confirmed.has(update.subject);

  const problems = errors.map(readProblem).filter((problem) => problem !== null);
  const own = new Map(
    problems.flatMap((problem) => blamedBy(problem, updates).map((update) => [update, problem])),
  );
  const anonymous = problems.find((problem) => blamedBy(problem, updates).length === 0);
  const unheard = updates.filter((update) => !own.has(update) && !isConfirmed(update));

  return updates.map((update) => {
    const problem = own.get(update);
    if (problem) return refusal(problem, answer);
    if (isConfirmed(update)) return { kind: "accepted" };
    if (!anonymous)
      return later(answer, { reason: "HubSpot neither confirmed nor refused the record", notBefore: null });
    if (unheard.length === 1) return refusal(anonymous, answer);
    return { kind: "split", rejection: rejectionOf(anonymous, answer), suspect: true };
  });
}

/**
 * The call was refused whole, as it happens in spite of trace ids: for duplicate ids (400), for a conflict of
 * identities (409), or for being too large (413). https://github.com/airbytehq/airbyte/pull/76340
 */
function readRefusal(updates: readonly Update[], answer: ApiAnswer, problem: Problem): Answer[] {
  if (updates.length === 1) return [refusal(problem, answer)];
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
  if (problem.category === "RATE_LIMITS")
    return later(answer, { reason: "HubSpot's limit stopped the record", notBefore: null });
  return { kind: "rejected", rejection: rejectionOf(problem, answer) };
}

/** The name of a property that the portal does not have; empty when HubSpot does not name it. */
function missingProperty(problem: Problem): string | null {
  const detail = problem.details.find(({ code }) => code === "PROPERTY_DOESNT_EXIST");
  return detail ? (detail.property ?? "") : null;
}

/** Whom the problem names: by trace id or address in its context, else by an address in its message. */
function blamedBy(problem: Problem, updates: readonly Update[]): Update[] {
  const named = updates.filter(({ traceId, subject }) =>
    problem.named.some((name) => name === traceId || emailKey(name) === subject),
  );
  return named.length > 0 ? named : updates.filter(({ subject }) => problem.mentioned.includes(subject));
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

function later(
  answer: ApiAnswer,
  { reason, notBefore }: { reason: string; notBefore: number | null },
): Answer {
  return {
    kind: "retry",
    reason,
    httpStatus: answer.status,
    notBefore,
    correlationId: answer.correlationId,
  };
}
