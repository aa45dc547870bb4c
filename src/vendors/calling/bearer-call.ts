/** One call with what opens the account, a token or an API key. */

import type { RateLimit } from "../../core/delivery/rate-window.ts";
import { AppError } from "../../shared/errors.ts";
import type { Http, HttpRequest } from "../../shared/http.ts";
import type { HttpAnswer } from "../../shared/http-answer.ts";
import type { Secret } from "../../shared/secret.ts";
import { possessive } from "../../shared/text.ts";
import type { Access, CallLimits } from "../contract/access.ts";

export interface AccountCalls {
  http: Http;
  access: Access;
  /** The headers that the token goes in; `Authorization: Bearer` unless given. */
  headersOf?(token: Secret): Record<string, string | Secret>;
  /** As people write the vendor's name. */
  label: string;
  /** What the call counts in, where the vendor counts by kind of call. */
  limits?: CallLimits;
  /** Does this 401 refuse the thing that was asked for, and not the token? */
  isAboutThing?(answer: HttpAnswer): boolean;
  /** What an answer tells of the vendor's own limit; null when it tells nothing. */
  rateOf(answer: HttpAnswer): RateLimit | null;
}

/**
 * Answers any status but 401, and that where it is about the thing. Throws `VENDOR_UNAVAILABLE` when the vendor cannot be reached or refuses even a renewed
 * token, unless `access` says what that means, the signal's reason when it aborts, and whatever `token()` throws.
 */
export async function callWithToken(
  calls: AccountCalls,
  call: Omit<HttpRequest, "token" | "signal">,
): Promise<HttpAnswer> {
  const first = await callOnce(calls, call, {});
  // Clock skew and long runs let tokens expire early: https://github.com/airbytehq/airbyte/issues/74726
  if (first.status === 401 && calls.isAboutThing?.(first)) return first;
  const answer = first.status === 401 ? await callOnce(calls, call, { renewed: true }) : first;
  if (answer.status !== 401) return answer;
  if (calls.access.refused) throw calls.access.refused();
  throw new AppError("VENDOR_UNAVAILABLE", `${calls.label} refuses a token that it has just renewed`, {
    hint: `Nothing to do at first: this counts as an outage. If it lasts, ask for ${possessive(calls.label)} status page.`,
  });
}

async function callOnce(
  { http, access, headersOf, rateOf, limits }: AccountCalls,
  call: Omit<HttpRequest, "token" | "signal">,
  options: { renewed?: true },
): Promise<HttpAnswer> {
  const token = await access.token(options);
  const opener = headersOf
    ? { headers: { ...call.headers, ...headersOf(token) }, hides: [token] }
    : { token };
  const counted = await access.slot(limits);
  const go = async () => {
    if (call.method !== "GET") access.beforeWrite?.();
    return await http.request({ ...call, ...opener, signal: access.signal });
  };
  const answer = await go().finally(() => counted.ended());
  const told = rateOf(answer);
  if (told) await access.heed(told, limits);
  return answer;
}
