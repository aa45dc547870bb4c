/** `/v1/candidates`: people, and where they stand in their jobs. Reaching a stage may trigger its assessment. */
import { isoTime } from "../../shared/clock.ts";
import { empty, json, type Reply } from "../http.ts";
import type { ApiCall, ApiRoute } from "./api.ts";
import { triggerAtStage } from "./assessments.ts";
import { assessmentsOf, type Candidate } from "./company.ts";
import { invalid, notFound } from "./errors.ts";
import { isText } from "./input.ts";
import { nextId, type SmartWorld } from "./world.ts";

const WRITE = "candidates:write";

export function candidateRoutes(world: SmartWorld): ApiRoute[] {
  return [
    { method: "POST", path: "/v1/candidates", scope: WRITE, answer: (call) => create(world, call) },
    {
      method: "GET",
      path: "/v1/candidates/:id",
      scope: "candidates:read",
      answer: (call) => withCandidate(call, (candidate) => json(200, show(candidate))),
    },
    {
      method: "DELETE",
      path: "/v1/candidates/:id",
      scope: WRITE,
      answer: (call) => withCandidate(call, (candidate) => remove(call, candidate)),
    },
    {
      method: "POST",
      path: "/v1/candidates/:id/jobs/:jobId",
      scope: WRITE,
      answer: (call) =>
        withCandidate(call, ({ id, jobs }) => {
          const jobId = call.param("jobId");
          const job = jobs.get(jobId) ?? { status: "NEW", subStatus: null };
          jobs.set(jobId, job);
          return json(201, { candidateId: id, jobId, ...job });
        }),
    },
    {
      method: "PUT",
      path: "/v1/candidates/:id/jobs/:jobId/status",
      scope: WRITE,
      answer: (call) => withCandidate(call, (candidate) => move(world, call, candidate)),
    },
  ];
}

function create(world: SmartWorld, { company, input, now }: ApiCall): Reply {
  const { firstName, lastName, email } = input;
  if (!isText(firstName) || !isText(lastName) || !isText(email))
    return invalid("firstName, lastName and email must be texts");
  const id = nextId(world, "c");
  const candidate = { id, firstName, lastName, email, createdOn: isoTime(now), jobs: new Map() };
  company.candidates.set(id, candidate);
  return json(201, show(candidate));
}

/** What was asked of the candidate, and the scorecard, go too. */
function remove({ company }: ApiCall, { id }: Candidate): Reply {
  for (const assessment of assessmentsOf(company, id)) company.assessments.delete(assessment.id);
  company.candidates.delete(id);
  return empty(204);
}

function move(world: SmartWorld, call: ApiCall, candidate: Candidate): Reply {
  const jobId = call.param("jobId");
  const { status, subStatus = null } = call.input;
  if (!candidate.jobs.has(jobId)) return notFound(`Candidate ${candidate.id} is not in job ${jobId}`);
  if (!isText(status)) return invalid("status must be text");
  if (subStatus !== null && !isText(subStatus)) return invalid("subStatus must be text");
  candidate.jobs.set(jobId, { status, subStatus });
  triggerAtStage(world, call, { candidateId: candidate.id, jobId, stage: subStatus ?? status });
  return empty(204);
}

function withCandidate(call: ApiCall, act: (candidate: Candidate) => Reply): Reply {
  const candidate = call.company.candidates.get(call.param("id"));
  return candidate ? act(candidate) : notFound(`There is no candidate ${call.param("id")}`);
}

function show({ jobs: _, ...shown }: Candidate): Omit<Candidate, "jobs"> {
  return shown;
}
