/** One call with the account's token, which every vendor's API takes the same way. */
import { AppError } from "../../shared/errors.ts";
import type { Http, HttpAnswer, HttpRequest } from "../../shared/http.ts";
import type { Access } from "../contract/access.ts";
import type { RateLimit } from "../../core/delivery/rate-window.ts";
import { possessive } from "../../shared/text.ts";

export interface BearerCalls {
  http: Http;
  access: Access;
  /** As people write the vendor's name. */
  label: string;
  /** What an answer tells of the vendor's own limit; null when it tells nothing. */
  rateOf(answer: HttpAnswer): RateLimit | null;
}

/**
 * Answers any status but 401. Throws `VENDOR_UNAVAILABLE` when the vendor cannot be reached or refuses even a renewed
 * token, the signal's reason when it aborts, and whatever `token()` throws.
 */
export async function callWithToken(
  calls: BearerCalls,
  call: Omit<HttpRequest, "token" | "signal">,
): Promise<HttpAnswer> {
  const first = await callOnce(calls, call, {});
  // Clock skew and long runs let tokens expire early: https://github.com/airbytehq/airbyte/issues/74726
  const answer = first.status === 401 ? await callOnce(calls, call, { renewed: true }) : first;
  if (answer.status !== 401) return answer;
  throw new AppError("VENDOR_UNAVAILABLE", `${calls.label} refuses a token that it has just renewed`, {
    hint: `Nothing to do at first: this counts as an outage. If it lasts, ask for ${possessive(calls.label)} status page.`,
  });
}

async function callOnce(
  { http, access, rateOf }: BearerCalls,
  call: Omit<HttpRequest, "token" | "signal">,
  options: { renewed?: true },
): Promise<HttpAnswer> {
  const token = await access.token(options);
  await access.slot();
  const answer = await http.request({ ...call, token, signal: access.signal });
  const told = rateOf(answer);
  if (told) await access.heed(told);
  return answer;
}
