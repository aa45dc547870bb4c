/** Writes an assessment's result to the scorecard: one call each. */
import type { Projection, Rejection } from "../../../core/push.ts";
import type { Answer } from "../../../core/delivery/answer.ts";
import type { SendResult, Update } from "../../contract/destination.ts";
import { unanswered } from "../../calling/unanswered.ts";
import { ENDPOINTS } from "./profile.ts";
import { laterOf, rejectionOf } from "../calling/answer.ts";
import { type ApiAnswer, type Caller, callApi, isSegment } from "../calling/api.ts";
import { fieldOf } from "./custom-fields.ts";
import type { Problem } from "../calling/problem.ts";
import { verdictOf } from "../calling/verdict.ts";

export const RESULTS_PER_CALL = 1;

/** Throws what no answer can say: what `token()` throws apart from outages, and the signal's reason. */
export async function sendResults(caller: Caller, updates: readonly Update[]): Promise<SendResult> {
  const [update, ...others] = updates;
  if (!update || others.length > 0) throw new Error("a call carries one result");
  if (!isSegment(update.subject)) return withoutCall(impossible(update.subject));
  const startedAt = caller.clock.now();
  try {
    const answer = await callApi(caller, {
      endpoint: ENDPOINTS.results,
      params: { assessment: update.subject },
      headers: { "X-Request-Id": update.traceId },
      json: bodyOf(update.projection),
    });
    const { status: httpStatus, correlationId, durationMs } = answer;
    return { answers: [readAnswer(update, answer, caller)], httpStatus, correlationId, durationMs };
  } catch (error) {
    return unanswered(updates, error, caller.clock.now() - startedAt);
  }
}

/** The whole scorecard entry: heads by their names, and under `fields` what goes into custom fields. */
function bodyOf({ title, score, summary, resultUrl, completedAt, ...fields }: Projection) {
  return {
    title,
    ...(score === undefined ? {} : { score: Number(score) }),
    summary,
    resultUrl,
    completedAt,
    fields: Object.entries(fields).flatMap(([key, value]) => {
      const field = fieldOf(key);
      return field ? [{ fieldId: field.id, value }] : [];
    }),
  };
}

function readAnswer(update: Update, answer: ApiAnswer, caller: Caller): Answer {
  const verdict = verdictOf(answer, caller);
  switch (verdict.kind) {
    case "done":
      return tellsOfResult(answer)
        ? { kind: "accepted" }
        : laterOf(answer, `SmartRecruiters answered ${answer.status} without saying what it holds`, null);
    case "later":
      return laterOf(answer, verdict.reason, verdict.notBefore);
    case "scope":
      return { kind: "held", cause: "scope", detail: verdict.scope };
    case "refused":
      return refusal(update, answer, verdict.problem);
  }
}

/** A proxy can answer 2xx too, with a page or with nothing. */
function tellsOfResult({ status, body }: ApiAnswer): boolean {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return false;
  return status === 201 || Object.keys(body).length > 0;
}

/** Reading the account's fields again cures a field that is gone. */
function refusal(update: Update, answer: ApiAnswer, problem: Problem): Answer {
  const field = fieldNamedIn(problem.message, update.projection);
  if (problem.code === "FIELD_NOT_FOUND") return { kind: "held", cause: "property", detail: field ?? "" };
  return { kind: "rejected", rejection: rejectionOf(answer, problem, field) };
}

/** By its id, as a word of its own: `cf-1` is not in `cf-10`. */
function fieldNamedIn(message: string, projection: Projection): string | null {
  const words = new Set(message.split(/[\s"'`,;:()[\]]+/).map((word) => word.replace(/[.!?]+$/, "")));
  const isNamed = (key: string) => {
    const field = fieldOf(key);
    return field !== null && words.has(field.id);
  };
  return Object.keys(projection).find(isNamed) ?? null;
}

/** The id came from elsewhere; a URL cannot hold it. */
function impossible(subject: string): Rejection {
  return {
    message: `${JSON.stringify(subject)} is no assessment of SmartRecruiters`,
    category: null,
    field: null,
    httpStatus: 0,
    correlationId: null,
  };
}

function withoutCall(rejection: Rejection): SendResult {
  return {
    answers: [{ kind: "rejected", rejection }],
    httpStatus: null,
    correlationId: null,
    durationMs: 0,
  };
}
