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
          ...utcOffset(timeZone, world.clock.now()),
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

/** As the zone has it at that moment; a zone that nobody knows counts as UTC. */
function utcOffset(timeZone: string, now: number): { utcOffset: string; utcOffsetMilliseconds: number } {
  const minutes = minutesAhead(timeZone, now);
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((part) =>
    String(part).padStart(2, "0"),
  );
  return {
    utcOffset: `${minutes < 0 ? "-" : "+"}${hours}:${rest}`,
    utcOffsetMilliseconds: minutes * 60_000,
  };
}

function minutesAhead(timeZone: string, now: number): number {
  try {
    const parts = new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "longOffset" }).formatToParts(now);
    const name = parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
    const [, sign, hours = "0", minutes = "0"] = /^GMT([+-])(\d{2}):(\d{2})$/.exec(name) ?? [];
    return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  } catch {
    return 0;
  }
}

function percentage(usage: number, limit: number): number {
  return limit === 0 ? 100 : (usage / limit) * 100;
}
