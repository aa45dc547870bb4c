/** What a recruiter reads: a candidate's scorecard, and the company's custom fields. */
import type { ApiRoute } from "./api.ts";
import { scorecardOf } from "./company.ts";
import { notFound } from "./errors.ts";
import { answerPage } from "./pages.ts";
import type { SmartWorld } from "./world.ts";

export function scorecardRoutes(world: SmartWorld): ApiRoute[] {
  return [
    {
      method: "GET",
      path: "/v1/candidates/:id/scorecard",
      scope: "candidates:read",
      answer: (call) => {
        const { company } = call;
        const candidateId = call.param("id");
        if (!company.candidates.has(candidateId)) return notFound(`There is no candidate ${candidateId}`);
        const items = scorecardOf(company, candidateId);
        return answerPage(world, call, { items, key: "entries", more: { candidateId } });
      },
    },
    {
      method: "GET",
      path: "/v1/custom-fields",
      scope: "custom_fields:read",
      answer: (call) => answerPage(world, call, { items: world.customFields }),
    },
  ];
}
