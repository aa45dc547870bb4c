import type { DestinationWords } from "../contract/destination.ts";
import { COMMON_ERRORS } from "./guide.ts";

export const WORDS = {
  vendor: "smartrecruiters",
  label: "SmartRecruiters",
  fieldWords: ["scorecard field", "scorecard fields"],
  commonErrors: COMMON_ERRORS,
} as const satisfies DestinationWords;

/** Both profiles' webhooks come to one path; the headers tell which one signed. */
export const WEBHOOK_PATH = "/smartrecruiters/webhooks";
export const WEBHOOK_SECRET = "smartrecruiters.webhook-secret";
