/** Every path of the published face. */
import { json } from "../../http.ts";
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
      answer: () => json(200, { offset: 0, limit: 10, totalFound: 0, content: [] }),
    },
    ...candidateRoutes(world),
    ...propertyRoutes(world),
    ...noteRoutes(world),
    ...hiringProcessRoutes(world),
    ...subscriptionRoutes(world),
  ];
}
