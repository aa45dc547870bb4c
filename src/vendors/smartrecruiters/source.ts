/** SmartRecruiters, which tells us that an assessment of its own was completed. */
import type { Source } from "../contract/source.ts";
import { idOfBody, parseEvent } from "./event.ts";
import { claimOf } from "./signature.ts";

export const smartrecruiters = {
  id: "smartrecruiters",
  path: "/smartrecruiters/webhooks",
  secretName: "smartrecruiters.webhook-secret",
  // Each org has a secret of its own, and each is tried.
  largestBodyBytes: 64 * 1024,
  claim: claimOf,
  parse: parseEvent,
  idOfBody,
} satisfies Source;
