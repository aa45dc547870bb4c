/** What an answer's status means for what was asked: done, not now, or no. */
import { AppError } from "../../../shared/errors.ts";
import { refusalWords } from "../../calling/refusal-words.ts";
import { retryAfter } from "../../calling/retry-after.ts";
import type { Api, ApiAnswer } from "./api.ts";
import { scopeHint } from "../guide.ts";
import type { Problem } from "./problem.ts";
import type { Profile } from "./profile.ts";

export type Verdict =
  | { kind: "done" }
  /** `notBefore`: ms since the epoch, when SmartRecruiters names a time. */
  | { kind: "later"; reason: string; notBefore: number | null }
  /** A scope is missing: this one, as far as anybody can tell. */
  | { kind: "scope"; scope: string }
  | { kind: "refused"; problem: Problem };

/** SmartRecruiters documents no wait of its own; a longer one than this is taken for a mistake. */
const LONGEST_WAIT_MS = 24 * 3_600_000;

/**
 * A 4xx counts as SmartRecruiters' no only when its body is a JSON object, and where no body is read a 2xx as its yes only
 * by what its documents say: a proxy's page says nothing about a result. https://developers.smartrecruiters.com/docs/error-handling
 */
export function verdictOf(answer: ApiAnswer, { clock, profile }: Pick<Api, "clock" | "profile">): Verdict {
  const { status, problem, headers, endpoint } = answer;
  if (status >= 200 && status < 300) {
    const { doneBy = status } = endpoint;
    if (doneBy === "no page" ? !answer.isPage : status === doneBy) return { kind: "done" };
    const reason = `SmartRecruiters' answer (${status}) does not say that it was done`;
    return { kind: "later", reason, notBefore: null };
  }
  if (problem && status >= 400 && status < 500 && !isPassing(status)) {
    const scope = status === 403 ? missingScope(problem, answer.endpoint.scope, profile) : null;
    return scope === null ? { kind: "refused", problem } : { kind: "scope", scope };
  }
  const now = clock.now();
  // Its published window is the wait that it names for too many calls.
  const wait = status === 429 ? now + profile.rateLimit.windowMs : null;
  const notBefore = retryAfter(headers["retry-after"], { now, longestMs: LONGEST_WAIT_MS }) ?? wait;
  return { kind: "later", reason: `SmartRecruiters answered ${status}`, notBefore };
}

/** Null where the body gives another reason for the 403. */
function missingScope(problem: Problem, needed: string, { scopes, speaksOfScope }: Profile): string | null {
  const words = `${problem.code ?? ""} ${problem.message}`;
  const named = scopes.find((scope) => words.includes(scope));
  if (named !== undefined) return named;
  return speaksOfScope(problem) ? needed : null;
}

/** In either contract. */
function isAboutPerson({ endpoint: { path } }: ApiAnswer): boolean {
  return /\/candidates\b|^\/v1\/assessments\b|\/messages\b/.test(path);
}

/** The error to throw where the call was the whole task; `doing` as in "listing subscriptions". Not for `done`. */
export function failure(
  { place }: Pick<Api, "place">,
  {
    verdict,
    answer,
    doing,
  }: { verdict: Exclude<Verdict, { kind: "done" }>; answer: ApiAnswer; doing: string },
): AppError {
  const { status, correlationId } = answer;
  const trace = correlationId ? ` (request id ${correlationId})` : "";
  switch (verdict.kind) {
    case "later": {
      const code = status === 429 ? "VENDOR_RATE_LIMITED" : "VENDOR_UNAVAILABLE";
      return new AppError(code, `${verdict.reason} to ${doing}${trace}`, { hint: "Try again later." });
    }
    case "scope":
      return new AppError(
        "VENDOR_REJECTED",
        `SmartRecruiters wants a scope for ${doing}: ${verdict.scope}${trace}`,
        { hint: scopeHint(verdict.scope, place) },
      );
    case "refused":
      return new AppError(
        "VENDOR_REJECTED",
        `SmartRecruiters refused ${doing} with ${status}${refusalWords(verdict.problem, { isAboutPerson: isAboutPerson(answer) })}${trace}`,
      );
  }
}

function isPassing(status: number): boolean {
  return status === 408 || status === 423 || status === 425 || status === 429;
}
