/** `/v1/assessments`: tests that candidates were asked to take, by hand or by the catalogue. */
import { json, type Reply } from "../http.ts";
import type { ApiCall, ApiRoute } from "./api.ts";
import { type Assessment, assessmentsOf } from "./company.ts";
import { invalid, notFound } from "./errors.ts";
import { isText } from "./input.ts";
import { answerPage } from "./pages.ts";
import { deliverResults } from "./results.ts";
import { nextId, type SmartWorld } from "./world.ts";

const READ = "assessments:read";
const WRITE = "assessments:write";

export function assessmentRoutes(world: SmartWorld): ApiRoute[] {
  return [
    { method: "POST", path: "/v1/assessments", scope: WRITE, answer: (call) => request(world, call) },
    {
      method: "GET",
      path: "/v1/assessments",
      scope: READ,
      answer: (call) => {
        const candidateId = call.query.get("candidateId");
        if (!candidateId) return invalid("candidateId is missing");
        return answerPage(world, call, { items: assessmentsOf(call.company, candidateId).map(show) });
      },
    },
    {
      method: "GET",
      path: "/v1/assessments/:id",
      scope: READ,
      answer: (call) => withAssessment(call, (assessment) => json(200, show(assessment))),
    },
    {
      method: "POST",
      path: "/v1/assessments/:id/results",
      scope: WRITE,
      answer: (call) => withAssessment(call, (assessment) => deliverResults(world, call, assessment)),
    },
  ];
}

function request(world: SmartWorld, call: ApiCall): Reply {
  const { candidateId, jobId, test } = call.input;
  if (!isText(candidateId) || !isText(jobId) || !isText(test))
    return invalid("candidateId, jobId and test must be texts");
  if (!call.company.candidates.has(candidateId)) return notFound(`There is no candidate ${candidateId}`);
  return json(201, show(invite(world, call, { candidateId, jobId, test })));
}

/** A candidate who comes back to a stage is not asked again while the first request is open. */
export function triggerAtStage(
  world: SmartWorld,
  call: ApiCall,
  { candidateId, jobId, stage }: { candidateId: string; jobId: string; stage: string },
): void {
  const planned = call.company.catalogue.get(jobId)?.get(stage);
  if (planned?.trigger !== "auto") return;
  const { test } = planned;
  const isAsked = assessmentsOf(call.company, candidateId).some(
    (asked) => asked.jobId === jobId && asked.test === test && asked.status === "invited",
  );
  if (!isAsked) invite(world, call, { candidateId, jobId, test });
}

function invite(
  world: SmartWorld,
  { company, headers, now }: ApiCall,
  asked: Pick<Assessment, "candidateId" | "jobId" | "test">,
): Assessment {
  const id = nextId(world, "a");
  const link = `http://${headers.host}/smartrecruiters/assessments/${id}`;
  const assessment: Assessment = { id, ...asked, status: "invited", link, invitedAt: now };
  company.assessments.set(id, assessment);
  return assessment;
}

function withAssessment(call: ApiCall, act: (assessment: Assessment) => Reply): Reply {
  const assessment = call.company.assessments.get(call.param("id"));
  return assessment ? act(assessment) : notFound(`There is no assessment ${call.param("id")}`);
}

function show({ id, candidateId, jobId, test, status, link }: Assessment): object {
  return { id, candidateId, jobId, test, status, link };
}
