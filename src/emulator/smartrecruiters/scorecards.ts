/** What a recruiter reads: a candidate's scorecard, and the company's custom fields. */
import { json } from "../http.ts";
import type { ApiRoute } from "./api.ts";
import { scorecardOf } from "./company.ts";
import { notFound } from "./errors.ts";
import type { SmartWorld } from "./world.ts";

export function scorecardRoutes(world: SmartWorld): ApiRoute[] {
  return [
    {
      method: "GET",
      path: "/v1/candidates/:id/scorecard",
      scope: "candidates:read",
      answer: ({ company, param }) => {
        const candidateId = param("id");
        if (!company.candidates.has(candidateId)) return notFound(`There is no candidate ${candidateId}`);
        return json(200, { candidateId, entries: scorecardOf(company, candidateId) });
      },
    },
    {
      method: "GET",
      path: "/v1/custom-fields",
      scope: "custom_fields:read",
      answer: () => json(200, { content: world.customFields }),
    },
  ];
}
