/** What a portal tells about itself: account details and property limits; and how an app leaves it. */
import { empty, json } from "../http.ts";
import type { ApiRoute } from "./api.ts";
import { customProperties, propertyQuota } from "./portal.ts";
import { uninstall } from "./tokens.ts";
import type { HubspotWorld } from "./world.ts";

export function accountRoutes(world: HubspotWorld): ApiRoute[] {
  return [
    {
      method: "GET",
      path: "/account-info/details",
      scopes: ["oauth"],
      answer: ({ portal }) => {
        const { accountType, timeZone, dataHostingLocation } = portal.profile;
        const uiDomain =
          dataHostingLocation === "na1" ? "app.hubspot.com" : `app-${dataHostingLocation}.hubspot.com`;
        return json(200, {
          portalId: portal.id,
          accountType,
          timeZone,
          companyCurrency: "EUR",
          additionalCurrencies: [],
          uiDomain,
          dataHostingLocation,
        });
      },
    },
    {
      method: "DELETE",
      path: "/appinstalls/external-install",
      scopes: ["oauth"],
      answer: ({ portal }) => {
        uninstall(world, portal);
        return empty(204);
      },
    },
    {
      method: "GET",
      path: "/crm/limits/custom-properties",
      scopes: ["crm.objects.contacts.read", "crm.objects.contacts.write"],
      answer: ({ portal }) => {
        const usage = customProperties(portal).length;
        const limit = propertyQuota(portal);
        // A developer test account has ten times the limit of one object over all objects.
        const overallLimit = limit * 10;
        return json(200, {
          overallLimit,
          overallUsage: usage,
          overallPercentage: percentage(usage, overallLimit),
          byObjectType: [
            {
              objectTypeId: "0-1",
              singularLabel: "Contact",
              pluralLabel: "Contacts",
              limit,
              usage,
              percentage: percentage(usage, limit),
            },
          ],
        });
      },
    },
  ];
}

function percentage(usage: number, limit: number): number {
  return limit === 0 ? 100 : (usage / limit) * 100;
}
