/** SmartRecruiters, which tells us that an assessment of its own was completed. */
import type { Source } from "../contract/source.ts";
import { idOfBody, parseEvent } from "./v1/event.ts";
import { claimOf } from "./v1/signature.ts";
import { WEBHOOK_PATH, WEBHOOK_SECRET } from "./words.ts";

export const smartrecruiters = {
  id: "smartrecruiters",
  path: WEBHOOK_PATH,
  secretName: WEBHOOK_SECRET,
  // Each org has a secret of its own, and each is tried.
  largestBodyBytes: 64 * 1024,
  claim: claimOf,
  parse: parseEvent,
  idOfBody,
} satisfies Source;
