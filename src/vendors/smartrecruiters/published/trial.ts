/** The parts of a trial with a made-up candidate. */
import * as v from "valibot";
import type { Access } from "../../contract/access.ts";
import type { Ats } from "../../contract/ats.ts";
import type { Caller } from "../calling/api.ts";
import { AppError } from "../../../shared/errors.ts";
import { ask, remove, tell } from "../calling/ask.ts";
import { ENDPOINTS } from "./contract.ts";

const Id = v.object({ id: v.string() });

type Trial = Pick<
  Ats,
  | "createCandidate"
  | "removeCandidate"
  | "advance"
  | "triggerAssessment"
  | "assessments"
  | "scorecard"
  | "differences"
>;

export function trialOf(callerFor: (access: Access) => Caller): Trial {
  return {
    createCandidate: async (access, { jobId, ...person }) => {
      const doing = "creating a candidate";
      const place =
        jobId === undefined
          ? { endpoint: ENDPOINTS.createCandidate }
          : { endpoint: ENDPOINTS.createInJob, params: { job: jobId } };
      const call = { ...place, json: person, schema: Id, doing };
      return (await ask(callerFor(access), call)).id;
    },
    removeCandidate: async (access, candidate) => {
      const doing = "removing a candidate";
      await remove(callerFor(access), { endpoint: ENDPOINTS.removeCandidate, params: { candidate }, doing });
    },
    advance: async (access, { candidateId, jobId, stage }) => {
      const caller = callerFor(access);
      const params = { candidate: candidateId, job: jobId };
      const [status = "", ...sub] = stage.split("/").map((part) => part.trim());
      const json = { status, ...(sub.length > 0 ? { subStatus: sub.join("/") } : {}) };
      await tell(caller, {
        ...{ endpoint: ENDPOINTS.setStatus, params, json },
        doing: "moving a candidate to a stage",
      });
    },
    triggerAssessment: async () => notThere(),
    assessments: async () => notThere(),
    scorecard: async () => notThere(),
    differences: () => [],
  };
}

function notThere(): never {
  throw new AppError("USAGE", "the published SmartRecruiters API has no assessments of its own", {
    hint: "They belong to the profile v1.",
  });
}
