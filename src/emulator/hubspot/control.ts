/** `/_control/hubspot`: what a person sees and does in the portal's own pages. */
import { isoTime } from "../../shared/clock.ts";
import { badInput } from "../control.ts";
import { type Call, empty, isRecord, json, parseJson, type Reply } from "../http.ts";
import type { ControlRoute } from "../vendor.ts";
import { makeContact, mergeContacts, unmergeContact } from "./contact-control.ts";
import {
  activeGroup,
  activeProperty,
  customProperties,
  type Portal,
  type Property,
  SENSITIVITIES,
} from "./portal.ts";
import { removeContact, restoreContact } from "./contacts.ts";
import { archiveProperty } from "./properties.ts";
import { archiveGroupWithMembers } from "./property-groups.ts";
import type { HubspotWorld } from "./world.ts";

export function hubspotControl(world: HubspotWorld): ControlRoute[] {
  const now = () => isoTime(world.clock.now());
  return [
    { method: "GET", path: "/contacts", answer: () => json(200, listContacts(world)) },
    ...recycling(world),
    {
      method: "POST",
      path: "/contacts",
      answer: (call) => inPortal(world, call, (portal) => makeContact({ portal, at: now() }, call)),
    },
    {
      method: "POST",
      path: "/contacts/merge",
      answer: (call) => inPortal(world, call, (portal) => mergeContacts({ portal, at: now() }, call)),
    },
    {
      method: "POST",
      path: "/contacts/:id/unmerge",
      answer: (call, param) =>
        inPortal(world, call, (portal) => unmergeContact({ portal, at: now() }, call, param("id"))),
    },
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
      method: "POST",
      path: "/properties/:name",
      answer: (call, param) =>
        inPortal(world, call, (portal) => {
          const property = activeProperty(portal, param("name"));
          if (!property) return missing("property", param("name"), portal);
          const problem = changeProperty(portal, property, parseJson(call.body));
          return problem === null ? json(200, property) : badInput(problem);
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

/** Contacts that are deleted, and come back with their values. */
function recycling(world: HubspotWorld): ControlRoute[] {
  return [
    {
      method: "DELETE",
      path: "/contacts/:id",
      answer: (call, param) =>
        inPortal(world, call, (portal) => {
          const contact = portal.contacts.get(param("id"));
          if (!contact) return missing("contact", param("id"), portal);
          removeContact(portal, contact);
          return empty(204);
        }),
    },
    {
      method: "POST",
      path: "/contacts/:id/restore",
      answer: (call, param) =>
        inPortal(world, call, (portal) => {
          const contact = portal.recycleBin.get(param("id"));
          if (!contact) return missing("deleted contact", param("id"), portal);
          restoreContact(portal, contact);
          return empty(204);
        }),
    },
  ];
}

/** What no app can change of a definition. Text is what was wrong with the input. */
function changeProperty(portal: Portal, property: Property, input: unknown): string | null {
  if (!isRecord(input)) return "a change is a JSON object";
  const { readOnlyValue, dataSensitivity, isWritable, ...others } = input;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    return `unknown field "${unknown}"; known: readOnlyValue, dataSensitivity, isWritable`;
  const sensitivity = SENSITIVITIES.find((known) => known === dataSensitivity);
  if (dataSensitivity !== undefined && !sensitivity)
    return `"dataSensitivity" must be one of ${SENSITIVITIES.join(", ")}`;
  if (![readOnlyValue, isWritable].every((flag) => flag === undefined || typeof flag === "boolean"))
    return '"readOnlyValue" and "isWritable" must be true or false';
  if (typeof readOnlyValue === "boolean") property.modificationMetadata.readOnlyValue = readOnlyValue;
  if (sensitivity) property.dataSensitivity = sensitivity;
  if (isWritable === true) portal.unwritable.delete(property.name);
  // As where field-level permissions keep apps out: the definition says nothing of it.
  if (isWritable === false) portal.unwritable.set(property.name, Number.POSITIVE_INFINITY);
  return null;
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
