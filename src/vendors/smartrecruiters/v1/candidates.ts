/** Candidates, and the assessments they are asked to take. */
import * as v from "valibot";
import type { Assessment, ScorecardEntry, StagePlace } from "../../contract/ats.ts";
import { ENDPOINTS } from "./profile.ts";
import type { Caller } from "../calling/api.ts";
import { ask, remove, tell } from "../calling/ask.ts";
import { askAll } from "../calling/lists.ts";

const Id = v.object({ id: v.string() });
const text = v.fallback(v.nullable(v.string()), null);

const AssessmentSchema = v.object({
  id: v.string(),
  jobId: v.string(),
  test: v.string(),
  status: v.string(),
  link: v.string(),
});
const Assessments = v.object({ content: v.array(AssessmentSchema) });

const Scalar = v.union([v.string(), v.number(), v.boolean()]);
const Entry = v.object({
  assessmentId: v.string(),
  title: v.string(),
  summary: text,
  resultUrl: text,
  fields: v.fallback(
    v.array(v.object({ fieldId: v.string(), value: v.pipe(Scalar, v.transform(String)) })),
    [],
  ),
});
const Scorecard = v.pipe(
  v.object({ entries: v.array(Entry) }),
  v.transform(({ entries }) => ({ content: entries })),
);

export async function createCandidate(
  caller: Caller,
  { firstName, lastName, email }: { firstName: string; lastName: string; email: string },
): Promise<string> {
  const doing = "creating a candidate";
  const person = { firstName, lastName, email };
  const { id } = await ask(caller, { endpoint: ENDPOINTS.createCandidate, json: person, schema: Id, doing });
  return id;
}

/** One who is gone already is fine. */
export async function removeCandidate(caller: Caller, candidateId: string): Promise<void> {
  const params = { candidate: candidateId };
  await remove(caller, { endpoint: ENDPOINTS.removeCandidate, params, doing: "removing a candidate" });
}

/** Onto the job first, then to the stage: only who is on a job can be moved there. */
export async function advance(
  caller: Caller,
  { candidateId, jobId, stage }: { candidateId: string } & StagePlace,
): Promise<void> {
  const params = { candidate: candidateId, job: jobId };
  await tell(caller, { endpoint: ENDPOINTS.addToJob, params, doing: "adding a candidate to a job" });
  const json = { status: "IN_REVIEW", subStatus: stage };
  await tell(caller, { endpoint: ENDPOINTS.setStatus, params, json, doing: "moving a candidate to a stage" });
}

export async function triggerAssessment(
  caller: Caller,
  of: { candidateId: string; jobId: string; test: string },
): Promise<Assessment> {
  const doing = "triggering an assessment";
  return await ask(caller, {
    endpoint: ENDPOINTS.triggerAssessment,
    json: of,
    schema: AssessmentSchema,
    doing,
  });
}

/** Empty for a candidate who is gone. */
export async function listAssessments(caller: Caller, candidateId: string): Promise<Assessment[]> {
  return await askAll(caller, {
    endpoint: ENDPOINTS.assessments,
    query: { candidateId },
    schema: Assessments,
    doing: "listing a candidate's assessments",
    emptyIfGone: true,
  });
}

/** Null when there is no such assessment. */
export async function testOf(
  caller: Caller,
  { candidateId, assessmentId }: { candidateId: string; assessmentId: string },
): Promise<string | null> {
  const assessments = await listAssessments(caller, candidateId);
  return assessments.find(({ id }) => id === assessmentId)?.test ?? null;
}

export async function readScorecard(caller: Caller, candidateId: string): Promise<ScorecardEntry[]> {
  const params = { candidate: candidateId };
  const doing = "reading a scorecard";
  return await askAll(caller, { endpoint: ENDPOINTS.scorecard, params, schema: Scorecard, doing });
}
