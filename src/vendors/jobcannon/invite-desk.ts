/**
 * Asks JobCannon to invite a candidate: `invite.requested`, by Standard Webhooks. Ours: JobCannon has published no such
 * call (`docs/unconfirmed.md`).
 */
import type { InviteRequest } from "../../core/invite-request.ts";
import { type Clock, isoTime } from "../../shared/clock.ts";
import { isAppError } from "../../shared/errors.ts";
import type { Http } from "../../shared/http.ts";
import { retryAfter } from "../calling/retry-after.ts";
import type { Person } from "../contract/ats.ts";
import type { DeskAnswer, InviteDesk } from "../contract/invite-desk.ts";
import { signed } from "./webhook.ts";

const LONGEST_WAIT_MS = 24 * 3_600_000;
/** What says nothing about the request itself. */
const PASSING = [401, 403, 404, 408, 423, 425, 429];

export function openInviteDesk({ http, clock, url }: { http: Http; clock: Clock; url: string }): InviteDesk {
  return {
    ask: async (request, person, { secrets, signal }) => {
      const json = bodyOf(request, person, clock.now());
      const headers = signed(secrets, {
        id: request.assessmentId,
        at: clock.now(),
        body: JSON.stringify(json),
      });
      const startedAt = clock.now();
      try {
        const answer = await http.request({ method: "POST", url, json, headers, signal });
        return answerOf(answer, clock.now());
      } catch (error) {
        if (!isAppError(error)) throw error;
        const reason = error.message;
        const durationMs = clock.now() - startedAt;
        return { kind: "later", notBefore: null, httpStatus: null, durationMs, reason };
      }
    },
  };
}

function bodyOf(request: InviteRequest, { email, firstName, lastName }: Person, now: number): object {
  const { org, vendor, entry, candidateId, jobId, assessmentId } = request;
  return {
    type: "invite.requested",
    timestamp: isoTime(now),
    data: {
      org,
      candidate: { email, first_name: firstName, last_name: lastName },
      job: { id: jobId },
      test: entry.test,
      required: entry.required,
      due_days: entry.dueDays,
      template: entry.emailTemplate,
      source: { vendor, candidate_id: candidateId, job_id: jobId, assessment_id: assessmentId },
    },
  };
}

/** A 4xx that waiting, or a setting, may mend is asked again. */
function answerOf(
  { status, headers, durationMs }: { status: number; headers: Record<string, string>; durationMs: number },
  now: number,
): DeskAnswer {
  const base = { httpStatus: status, durationMs, notBefore: null };
  if (status >= 200 && status < 300) return { ...base, kind: "taken", reason: null };
  const reason = `JobCannon answered ${status}`;
  if (status >= 400 && status < 500 && !PASSING.includes(status)) return { ...base, kind: "refused", reason };
  const notBefore = retryAfter(headers["retry-after"], { now, longestMs: LONGEST_WAIT_MS });
  return { ...base, kind: "later", notBefore, reason };
}
