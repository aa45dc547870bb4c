/** `/_control/hubspot`: what a person sees and does in the portal's own pages. */
import { isoTime } from "../../shared/clock.ts";
import { badInput } from "../control.ts";
import { type Call, empty, json, type Reply } from "../http.ts";
import type { ControlRoute } from "../vendor.ts";
import { activeGroup, activeProperty, customProperties, type Portal } from "./portal.ts";
import { archiveProperty } from "./properties.ts";
import { archiveGroupWithMembers } from "./property-groups.ts";
import type { HubspotWorld } from "./world.ts";

export function hubspotControl(world: HubspotWorld): ControlRoute[] {
  const now = () => isoTime(world.clock.now());
  return [
    { method: "GET", path: "/contacts", answer: () => json(200, listContacts(world)) },
    {
      method: "GET",
      path: "/properties",
      answer: (call) => inPortal(world, call, (portal) => json(200, customProperties(portal))),
    },
    {
      method: "DELETE",
      path: "/properties/:name",
      answer: (call, param) =>
        inPortal(world, call, (portal) => {
          const property = activeProperty(portal, param("name"));
          if (!property) return missing("property", param("name"), portal);
          archiveProperty(portal, property, now());
          return empty(204);
        }),
    },
    {
      method: "DELETE",
      path: "/groups/:name",
      answer: (call, param) =>
        inPortal(world, call, (portal) => {
          const group = activeGroup(portal, param("name"));
          if (!group) return missing("group", param("name"), portal);
          archiveGroupWithMembers(portal, group, now());
          return empty(204);
        }),
    },
  ];
}

/** The contacts of all portals. */
function listContacts({ portals }: HubspotWorld): object[] {
  return [...portals.values()].flatMap((portal) =>
    [...portal.contacts.values()].map(({ id, properties, createdAt, updatedAt }) => ({
      portalId: portal.id,
      id,
      email: properties.email ?? null,
      properties,
      createdAt,
      updatedAt,
    })),
  );
}

/** Calls mean the current portal unless `?portalId=` names another. */
function inPortal(world: HubspotWorld, call: Call, act: (portal: Portal) => Reply): Reply {
  const id = call.query.get("portalId");
  const portal = id === null ? world.current : world.portals.get(Number(id));
  return portal ? act(portal) : badInput(`there is no portal ${id}`);
}

function missing(what: string, name: string, portal: Portal): Reply {
  return json(404, { message: `portal ${portal.id} has no ${what} "${name}"` });
}
