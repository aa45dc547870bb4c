/** SmartRecruiters, which tells us of assessments (`v1`) or of applications (`published`); the headers tell which. */
import type { Headers, Knock, Source } from "../contract/source.ts";
import { parsePublished } from "./published/event.ts";
import { claimPublished, isPublished } from "./published/signature.ts";
import { idOfBody, parseEvent } from "./v1/event.ts";
import { claimOf, isSigned } from "./v1/signature.ts";
import { WEBHOOK_PATH, WEBHOOK_SECRET } from "./words.ts";

export const smartrecruiters = {
  id: "smartrecruiters",
  path: WEBHOOK_PATH,
  secretName: WEBHOOK_SECRET,
  // Each org has a secret of its own, and each is tried.
  largestBodyBytes: 64 * 1024,
  // https://developers.smartrecruiters.com/docs/receiving-webhook-notifications: 5 seconds.
  answersWithinMs: 4_500,
  knock,
  claim: (headers) => (isPublished(headers) ? claimPublished(headers) : claimOf(headers)),
  parse: (body, known) =>
    known.headers ? parsePublished(body, { ...known, headers: known.headers }) : parseEvent(body, known),
  idOfBody,
} satisfies Source;

const HOOK_SECRET = "x-hook-secret";

/**
 * https://developers.smartrecruiters.com/docs/activating-webhook-subscriptions and …/docs/troubleshooting: a greeting comes
 * with a header to be sent back, and the vendor's check of a receiver without any header of an event.
 */
function knock(headers: Headers): Knock | null {
  const greeting = headers[HOOK_SECRET];
  if (greeting !== undefined) return { kind: "greeting", answer: { [HOOK_SECRET]: greeting } };
  return isPublished(headers) || isSigned(headers) ? null : { kind: "check", body: '{"id":"example"}' };
}
