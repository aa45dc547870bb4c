import type { DestinationWords } from "../contract/destination.ts";
import { COMMON_ERRORS } from "./guide.ts";

export const WORDS = {
  vendor: "smartrecruiters",
  label: "SmartRecruiters",
  fieldWords: ["scorecard field", "scorecard fields"],
  commonErrors: COMMON_ERRORS,
} as const satisfies DestinationWords;
