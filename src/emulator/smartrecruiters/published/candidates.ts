/** `/candidates` and `/jobs/{id}/candidates`: people and their applications. Each change fires its event. */
import { isoTime } from "../../../shared/clock.ts";
import { empty, json, type Reply } from "../../http.ts";
import type { Candidate, Company } from "../company.ts";
import { failure, invalid, notFound } from "../errors.ts";
import { isText } from "../input.ts";
import { nextId, type SmartWorld } from "../world.ts";
import { inputRecord, type PublishedCall, type PublishedRoute } from "./api.ts";
import { type Application, applicationOf } from "./company.ts";
import { fireEvent } from "./deliveries.ts";

const STATUSES = ["LEAD", "NEW", "IN_REVIEW", "INTERVIEW", "OFFERED", "HIRED", "REJECTED", "WITHDRAWN"];

export function candidateRoutes(world: SmartWorld): PublishedRoute[] {
  return [
    { method: "GET", path: "/candidates", scope: "candidates_read", answer: (call) => list(world, call) },
    {
      method: "POST",
      path: "/candidates",
      scope: "candidates_create",
      answer: (call) => answerCreated(world, call, null),
    },
    {
      method: "POST",
      path: "/jobs/:job/candidates",
      scope: "candidates_create",
      answer: (call) => answerCreated(world, call, call.param("job")),
    },
    {
      method: "GET",
      path: "/candidates/:id",
      scope: "candidates_read",
      answer: (call) => withCandidate(call, (candidate) => json(200, show(call.company, candidate))),
    },
    {
      method: "DELETE",
      path: "/candidates/:id",
      scope: "candidates_manage",
      answer: (call) =>
        withCandidate(call, ({ id }) => {
          removeCandidate(call.company, id);
          fireEvent(world, call.company, "candidate.deleted", { id });
          return empty(204);
        }),
    },
    {
      method: "GET",
      path: "/candidates/:id/jobs/:job",
      scope: "candidates_read",
      answer: (call) => withApplication(call, (application) => json(200, showApplication(application))),
    },
    {
      method: "PUT",
      path: "/candidates/:id/jobs/:job/status",
      scope: "candidates_manage",
      answer: (call) =>
        withApplication(call, (application) => {
          const { status, subStatus = null } = inputRecord(call);
          if (!isText(status) || !STATUSES.includes(status)) return invalid("status is none");
          if (subStatus !== null && !isText(subStatus)) return invalid("subStatus must be text");
          moveApplication(world, call.company, application, { status, subStatus });
          return empty(204);
        }),
    },
  ];
}

/** https://developers.smartrecruiters.com/reference/candidatesall-1 */
function list(world: SmartWorld, { company, query, path }: PublishedCall): Reply {
  const limit = Number(query.get("limit") ?? 10);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100) return invalid("limit must be from 1 to 100");
  const after = Date.parse(query.get("updatedAfter") ?? "1970-01-01T00:00:00Z");
  const words = query.get("q")?.toLowerCase();
  const jobId = query.get("jobId");
  const found = [...company.candidates.values()].filter(
    (each) =>
      Date.parse(each.updatedOn ?? each.createdOn) >= after &&
      (words === undefined || isFound(world, each, words)) &&
      (jobId === null || applicationOf(company.published, each.id, jobId) !== undefined),
  );
  const offset = Number(query.get("pageId")?.replace(/^p/, "") ?? 0);
  const end = offset + limit;
  const isLast = end >= found.length;
  const next = new URLSearchParams(query);
  next.set("pageId", `p${end}`);
  return json(
    200,
    {
      ...{
        limit,
        offset,
        totalFound: found.length,
        content: found.slice(offset, end).map((each) => show(company, each)),
      },
      ...(isLast ? {} : { nextPageId: `p${end}` }),
    },
    isLast ? {} : { link: `<https://api.smartrecruiters.com${path}?${next}>; rel="next"` },
  );
}

function answerCreated(world: SmartWorld, call: PublishedCall, jobId: string | null): Reply {
  const { firstName, lastName, email } = inputRecord(call);
  if (!isText(firstName) || !isText(lastName) || !isText(email))
    return invalid("firstName, lastName and email must be texts");
  const candidate = createCandidate(world, call.company, { firstName, lastName, email });
  if (jobId !== null) apply(world, call.company, candidate, jobId);
  return json(201, show(call.company, candidate));
}

export function createCandidate(
  world: SmartWorld,
  company: Company,
  person: Pick<Candidate, "firstName" | "lastName" | "email">,
): Candidate {
  const createdOn = isoTime(world.clock.now());
  const candidate: Candidate = { id: nextId(world, "pc"), ...person, createdOn, jobs: new Map() };
  company.candidates.set(candidate.id, candidate);
  fireEvent(world, company, "candidate.created", { id: candidate.id });
  return candidate;
}

export function apply(world: SmartWorld, company: Company, candidate: Candidate, jobId: string): Application {
  const known = applicationOf(company.published, candidate.id, jobId);
  if (known) return known;
  const application: Application = {
    applicationId: nextId(world, "app"),
    candidateId: candidate.id,
    jobId,
    status: "NEW",
    subStatus: null,
    updatedAt: world.clock.now(),
    values: new Map(),
  };
  company.published.applications.set(application.applicationId, application);
  fireEvent(world, company, "application.created", idsOf(application));
  return application;
}

export function moveApplication(
  world: SmartWorld,
  company: Company,
  application: Application,
  to: Pick<Application, "status" | "subStatus">,
): void {
  Object.assign(application, to, { updatedAt: world.clock.now() });
  touch(world, company, application.candidateId);
  fireEvent(world, company, "application.status.updated", idsOf(application));
}

/** The candidate changed now: the list finds it by that. */
export function touch(world: SmartWorld, company: Company, candidateId: string): void {
  const candidate = company.candidates.get(candidateId);
  if (candidate) candidate.updatedOn = isoTime(world.clock.now());
}

export function idsOf({ applicationId, candidateId, jobId }: Application): Record<string, string> {
  return { job_id: jobId, candidate_id: candidateId, application_id: applicationId };
}

function removeCandidate(company: Company, id: string): void {
  company.candidates.delete(id);
  for (const each of company.published.applications.values())
    if (each.candidateId === id) company.published.applications.delete(each.applicationId);
}

export function withCandidate(call: PublishedCall, act: (candidate: Candidate) => Reply): Reply {
  const candidate = call.company.candidates.get(call.param("id"));
  return candidate ? act(candidate) : failure(404, "CANDIDATE_NOT_FOUND", "There is no such candidate");
}

export function withApplication(call: PublishedCall, act: (application: Application) => Reply): Reply {
  const application = applicationOf(call.company.published, call.param("id"), call.param("job"));
  return application ? act(application) : notFound("There is no such application");
}

/** How the vendor's own search works is not published. */
function isFound(
  { published }: SmartWorld,
  { email, firstName, lastName }: Candidate,
  words: string,
): boolean {
  if (published.searchFinds === "addresses") return email.toLowerCase() === words;
  const text = `${email} ${firstName} ${lastName}`.toLowerCase();
  return words.split(/[^a-z0-9]+/).some((word) => word !== "" && text.includes(word));
}

/** The newest application is the primary one. */
function show({ published }: Company, { jobs: _, updatedOn, ...shown }: Candidate): object {
  const primary = [...published.applications.values()].findLast(
    ({ candidateId }) => candidateId === shown.id,
  );
  return {
    ...shown,
    ...(primary ? { primaryAssignment: assignmentOf(primary) } : {}),
    ...{ internal: false, updatedOn: updatedOn ?? shown.createdOn, actions: {} },
  };
}

function assignmentOf({ jobId, status, subStatus }: Application): object {
  return { job: { id: jobId, title: `Job ${jobId}` }, status, ...(subStatus === null ? {} : { subStatus }) };
}

function showApplication({ updatedAt: _, values: _values, subStatus, ...shown }: Application): object {
  return { ...shown, ...(subStatus === null ? {} : { subStatus }), actions: {} };
}
