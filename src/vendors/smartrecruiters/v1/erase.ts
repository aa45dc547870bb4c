/** Takes our values out of scorecards; the candidate, and what others wrote, is the customer's own. */
import { count } from "../../../shared/text.ts";
import type { Erasure } from "../../contract/destination.ts";
import { type Caller, callApi, isSegment } from "../calling/api.ts";
import { check, isGone } from "../calling/ask.ts";
import { ENDPOINTS } from "./profile.ts";

/** The guide knows no call that takes a result back: an entry without a value takes its place. */
const EMPTY = {
  title: "Removed at the candidate's request",
  summary: null,
  resultUrl: null,
  completedAt: null,
  fields: [],
};

/** Throws `VENDOR_*`. */
export async function clearResults(caller: Caller, assessments: readonly string[]): Promise<Erasure> {
  for (const assessment of assessments.filter(isSegment)) {
    const answer = await callApi(caller, {
      endpoint: ENDPOINTS.results,
      params: { assessment },
      json: EMPTY,
    });
    if (!isGone(answer)) check(caller, answer, "clearing a result");
  }
  const words = `SmartRecruiters holds no value of ours any more for ${count(assessments.length, "assessment")}`;
  return { words, left: null };
}
