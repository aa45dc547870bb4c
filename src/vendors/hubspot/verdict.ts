/** What an answer's status means for what was asked: done, not now, or no. */
import { connectCommand } from "../../core/advice/command-lines.ts";
import { AppError } from "../../shared/errors.ts";
import { refusalWords } from "../calling/refusal-words.ts";
import { retryAfter } from "../calling/retry-after.ts";
import type { Api, ApiAnswer } from "./api.ts";
import type { Problem } from "./problem.ts";

export type Verdict =
  | { kind: "done" }
  /** `notBefore`: ms since the epoch, when HubSpot or its published rules name a time. */
  | { kind: "later"; reason: string; notBefore: number | null }
  | { kind: "scope"; detail: string }
  /** HubSpot's no, to the call; whether a record is to blame, its status tells. */
  | { kind: "refused"; problem: Problem };

const SECOND_MS = 1_000;
const HOUR_MS = 3_600 * SECOND_MS;
const QUARTER_MS = HOUR_MS / 4;
/** Past midnight: HubSpot's clock may be behind ours, and who comes a moment early may lose a whole day. */
const MIDNIGHT_MARGIN_MS = 10 * SECOND_MS;
/** In its first hour a day's limit is hardly used up: more likely yesterday's has not ended yet. */
const EARLY_DAILY_WAIT_MS = 300 * SECOND_MS;
/** HubSpot's longest documented wait (477, about a day); a longer one is taken for a mistake. */
const LONGEST_WAIT_MS = 25 * HOUR_MS;

/** When a limit ends depends on the time, and that of a day on where the portal is. */
interface Moment {
  now: number;
  timeZone?: string | undefined;
}

/**
 * A 4xx counts as HubSpot's no only when its body is a JSON object: a proxy's page says nothing about a record.
 * https://developers.hubspot.com/docs/api-reference/error-handling
 */
export function verdictOf(answer: ApiAnswer, now: number, timeZone?: string): Verdict {
  const { status, problem } = answer;
  if (status >= 200 && status < 300) return { kind: "done" };
  if (problem && status >= 400 && status < 500 && !isPassing(status)) {
    const scope = status === 403 ? missingScope(problem) : null;
    return scope === null ? { kind: "refused", problem } : { kind: "scope", detail: scope };
  }
  const policy = problem?.policyName ? ` (${problem.policyName})` : "";
  const page = isPathRefused(status) ? `, not in its own words. ${PATH_HINT}` : "";
  return {
    kind: "later",
    reason: `HubSpot answered ${status}${policy}${page}`,
    notBefore: waitUntil(answer, { now, timeZone }),
  };
}

/** What the problem says of a missing scope, its name where HubSpot tells; null when it speaks of none. */
export function missingScope({ category, missingScopes, message }: Problem): string | null {
  if (category !== "MISSING_SCOPES" && missingScopes.length === 0) return null;
  return missingScopes.join(" or ") || message;
}

/**
 * What to tell of a call that HubSpot refused for no record's sake: it may take the same one another day. Null where
 * the content may be to blame; 413 and 414 mean too much of it, and without a word of HubSpot's they are an outage.
 * The hint comes before HubSpot's words, which are long.
 */
export function refusalOfCall({ status, problem }: ApiAnswer): string | null {
  if ([400, 409, 413, 414].includes(status))
    return problem?.isSpoken ? null : `HubSpot answered ${status}, not in its own words`;
  const hint = status === 403 ? "" : ` ${PATH_HINT}`;
  const words = problem?.message ? ` HubSpot: ${problem.message}` : "";
  return `HubSpot refused the call with ${status}, not a record of it.${hint}${words}`;
}

const PATH_HINT = "No outage: is its path retired? See hubspot.api_version in the configuration.";

/** A path that is gone is answered in JSON, or with a page for people. */
function isPathRefused(status: number): boolean {
  return [404, 405, 410, 415].includes(status);
}

/** The error to throw where the call was the whole task; `doing` as in "listing properties". Not for `done`. */
export function failure(
  { place }: Pick<Api, "place">,
  {
    verdict,
    answer,
    doing,
  }: { verdict: Exclude<Verdict, { kind: "done" }>; answer: ApiAnswer; doing: string },
): AppError {
  const trace = answer.correlationId ? ` (correlation id ${answer.correlationId})` : "";
  switch (verdict.kind) {
    case "later": {
      const code = answer.status === 429 ? "VENDOR_RATE_LIMITED" : "VENDOR_UNAVAILABLE";
      return new AppError(code, `${verdict.reason} to ${doing}${trace}`, {
        hint: isPathRefused(answer.status) ? PATH_HINT : "Try again later.",
      });
    }
    case "scope":
      return new AppError(
        "VENDOR_REJECTED",
        `HubSpot wants a scope for ${doing}: ${verdict.detail}${trace}`,
        {
          hint: `Reconnect and grant every scope: ${connectCommand({ vendor: "hubspot", ...place })}`,
        },
      );
    case "refused":
      return new AppError(
        "VENDOR_REJECTED",
        `HubSpot refused ${doing} with ${answer.status}${wordsOf(verdict.problem, doing)}${trace}`,
        isPathRefused(answer.status) ? { hint: PATH_HINT } : {},
      );
  }
}

function wordsOf({ message, category }: Problem, doing: string): string {
  return refusalWords({ message, code: category }, { isAboutPerson: /\bcontacts?\b/.test(doing) });
}

/** 423 is a lock after mass writes, 477 an account on the move between data centers. */
function isPassing(status: number): boolean {
  return status === 408 || status === 423 || status === 429 || status === 477;
}

/** When to come back at the earliest, ms since the epoch; null where nobody says. */
export function waitUntil({ status, headers, problem }: ApiAnswer, moment: Moment): number | null {
  const waits = [
    retryAfter(headers["retry-after"], { now: moment.now, longestMs: LONGEST_WAIT_MS }),
    ownRule(status, problem?.policyName ?? null, moment),
  ];
  return waits.reduce(
    (latest, wait) => (wait !== null && (latest === null || wait > latest) ? wait : latest),
    null,
  );
}

/** HubSpot promises the header for 477 only and seldom sends it with 429, so its published windows count too. */
function ownRule(status: number, policyName: string | null, { now, timeZone }: Moment): number | null {
  if (status === 423) return now + 2 * SECOND_MS;
  if (status !== 429) return null;
  if (policyName === "SECONDLY") return now + SECOND_MS;
  if (policyName === "DAILY") return afterDailyLimit(now, timeZone);
  return now + 10 * SECOND_MS;
}

/** After midnight where the portal is. Where nobody knows the zone, any full hour may be it. */
function afterDailyLimit(now: number, timeZone: string | undefined): number {
  const dateOf = dateIn(timeZone);
  if (!dateOf) return (Math.floor(now / HOUR_MS) + 1) * HOUR_MS + MIDNIGHT_MARGIN_MS;
  if (dateOf(now - HOUR_MS) !== dateOf(now)) return now + EARLY_DAILY_WAIT_MS;
  // All zones differ from UTC by whole quarters of an hour.
  let at = (Math.floor(now / QUARTER_MS) + 1) * QUARTER_MS;
  while (dateOf(at) === dateOf(now)) at += QUARTER_MS;
  return at + MIDNIGHT_MARGIN_MS;
}

/** Tells the date in a zone; null for one that nobody knows. */
function dateIn(timeZone = ""): ((at: number) => string) | null {
  try {
    return new Intl.DateTimeFormat("en", { timeZone, dateStyle: "short" }).format;
  } catch {
    return null;
  }
}
