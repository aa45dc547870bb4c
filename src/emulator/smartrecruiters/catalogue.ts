/** Which test a stage of a job asks for. */
import { json, type Reply } from "../http.ts";
import type { ApiCall, ApiRoute } from "./api.ts";
import type { StageAssessment } from "./company.ts";
import { invalid, notFound } from "./errors.ts";
import { isText } from "./input.ts";
import { answerPage } from "./pages.ts";
import type { SmartWorld } from "./world.ts";

const PATH = "/v1/jobs/:jobId/stages/:stage/assessment";

export function catalogueRoutes(world: SmartWorld): ApiRoute[] {
  return [
    { method: "PUT", path: PATH, scope: "assessments:write", answer: (call) => put(world, call) },
    {
      method: "GET",
      path: PATH,
      scope: "assessments:read",
      answer: ({ company, param }) => {
        const planned = company.catalogue.get(param("jobId"))?.get(param("stage"));
        if (planned) return json(200, planned);
        return notFound(`Stage ${param("stage")} of job ${param("jobId")} has no assessment`);
      },
    },
    {
      method: "GET",
      path: "/v1/jobs/:jobId/assessments",
      scope: "assessments:read",
      answer: (call) => {
        const items = [...(call.company.catalogue.get(call.param("jobId"))?.values() ?? [])];
        return answerPage(world, call, { items });
      },
    },
  ];
}

function put({ jobs }: SmartWorld, { company, param, input }: ApiCall): Reply {
  if (jobs?.includes(param("jobId")) === false) return notFound(`There is no job ${param("jobId")}`);
  const planned = readPlanned(param("stage"), input);
  if (typeof planned === "string") return invalid(planned);
  const stages = company.catalogue.get(param("jobId")) ?? new Map<string, StageAssessment>();
  company.catalogue.set(param("jobId"), stages.set(planned.stage, planned));
  return json(200, planned);
}

/** Text is what is wrong. */
function readPlanned(stage: string, input: Record<string, unknown>): StageAssessment | string {
  const { test, required = false, trigger = "manual", dueDays = 7, emailTemplate = "default" } = input;
  if (!isText(test)) return "test must not be blank";
  if (typeof required !== "boolean") return "required must be true or false";
  if (trigger !== "auto" && trigger !== "manual") return "trigger must be auto or manual";
  if (typeof dueDays !== "number" || !Number.isInteger(dueDays) || dueDays < 1)
    return "dueDays must be a whole number above 0";
  if (emailTemplate !== "branded" && emailTemplate !== "default")
    return "emailTemplate must be branded or default";
  return { stage, test, required, trigger, dueDays, emailTemplate };
}
