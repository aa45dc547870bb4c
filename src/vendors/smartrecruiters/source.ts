/** SmartRecruiters, which tells us that an assessment of its own was completed. */
import type { Source } from "../contract/source.ts";
import { idOfBody, parseEvent } from "./event.ts";
import { verifyWebhook } from "./signature.ts";

export const smartrecruiters = {
  id: "smartrecruiters",
  path: "/smartrecruiters/webhooks",
  secretName: "smartrecruiters.webhook-secret",
  verify: verifyWebhook,
  parse: parseEvent,
  idOfBody,
} satisfies Source;
