/** Every path of the published face. */
import { json } from "../../http.ts";
import { failure } from "../errors.ts";
import type { SmartWorld } from "../world.ts";
import type { PublishedRoute } from "./api.ts";
import { candidateRoutes } from "./candidates.ts";
import { hiringProcessRoutes } from "./hiring-processes.ts";
import { noteRoutes } from "./notes.ts";
import { propertyRoutes } from "./properties.ts";
import { subscriptionRoutes } from "./subscriptions.ts";

export function publishedRoutes(world: SmartWorld): PublishedRoute[] {
  return [
    {
      method: "GET",
      path: "/configuration/company",
      get scope() {
        return world.published.companyScope;
      },
      answer: ({ company: { id, published } }) => json(200, { identifier: id, name: published.name }),
    },
    {
      method: "GET",
      path: "/jobs",
      scope: "jobs_read",
      answer: () => {
        const content = (world.jobs ?? []).map((id) => ({ id }));
        return json(200, { offset: 0, limit: 10, totalFound: content.length, content: content.slice(0, 10) });
      },
    },
    {
      method: "GET",
      path: "/jobs/:job",
      scope: "jobs_read",
      answer: ({ param }) => {
        const id = param("job");
        if (world.jobs?.includes(id) === false) return failure(404, "JOB_NOT_FOUND", `There is no job ${id}`);
        return json(200, { id, title: `Job ${id}` });
      },
    },
    ...candidateRoutes(world),
    ...propertyRoutes(world),
    ...noteRoutes(world),
    ...hiringProcessRoutes(world),
    ...subscriptionRoutes(world),
  ];
}
