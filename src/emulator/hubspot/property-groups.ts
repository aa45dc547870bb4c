/** Property groups of contacts. */
import { empty, isRecord, json, type Reply } from "../http.ts";
import type { ApiCall, ApiRoute } from "./api.ts";
import { answerDefinitions } from "./definition-list.ts";
import { apiFailure, invalid, notFound } from "./errors.ts";
import { activeGroup, type Group, type Portal, type Property } from "./portal.ts";
import { archiveProperty, READ_SCOPES, WRITE_SCOPES } from "./properties.ts";

const PATH = "/crm/properties/contacts/groups";

export const groupRoutes: readonly ApiRoute[] = [
  { method: "GET", path: PATH, scopes: READ_SCOPES, answer: list },
  { method: "POST", path: PATH, scopes: WRITE_SCOPES, answer: create },
  { method: "GET", path: `${PATH}/:name`, scopes: READ_SCOPES, answer: read },
  { method: "PATCH", path: `${PATH}/:name`, scopes: WRITE_SCOPES, answer: change },
  { method: "DELETE", path: `${PATH}/:name`, scopes: WRITE_SCOPES, answer: archive },
];

function list(call: ApiCall): Reply {
  const groups = [...call.portal.groups.values()];
  return answerDefinitions(
    call,
    groups.filter((group) => !group.archived),
  );
}

function read({ portal, param }: ApiCall): Reply {
  const group = activeGroup(portal, param("name"));
  return group ? json(200, group) : missing(param("name"));
}

function create({ portal, input }: ApiCall): Reply {
  const { name, label, displayOrder } = isRecord(input) ? input : {};
  if (typeof name !== "string" || !/^[a-z][a-z0-9_]{0,99}$/.test(name))
    return invalid("Property group name is missing or invalid");
  if (typeof label !== "string" || label === "") return invalid("Some required fields were not set: [label]");
  if (activeGroup(portal, name))
    // Unconfirmed: nobody has published what HubSpot answers here; this mirrors the answer for properties.
    return apiFailure(409, {
      message: `A property group named '${name}' already exists.`,
      category: "OBJECT_ALREADY_EXISTS",
    });
  const group: Group = {
    name,
    label,
    displayOrder: typeof displayOrder === "number" ? displayOrder : -1,
    archived: false,
  };
  portal.groups.set(name, group);
  return json(201, group);
}

function change({ portal, param, input }: ApiCall): Reply {
  const group = activeGroup(portal, param("name"));
  if (!group) return missing(param("name"));
  const { label, displayOrder } = isRecord(input) ? input : {};
  if (typeof label === "string" && label !== "") group.label = label;
  if (typeof displayOrder === "number") group.displayOrder = displayOrder;
  return json(200, group);
}

function archive({ portal, param }: ApiCall): Reply {
  const group = activeGroup(portal, param("name"));
  if (!group) return missing(param("name"));
  if (membersOf(portal, group).length > 0) {
    const error = {
      status: "error",
      message: "Can't delete or purge a group with active properties",
      category: "VALIDATION_ERROR",
      subCategory: "PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES",
    };
    // As observed: the real error stands as JSON text inside the message.
    return apiFailure(400, { message: JSON.stringify(error) });
  }
  group.archived = true;
  return empty(204);
}

/** What a person in the portal can do and the API cannot: archive a group with all that is in it. */
export function archiveGroupWithMembers(portal: Portal, group: Group, at: string): void {
  for (const property of membersOf(portal, group)) archiveProperty(portal, property, at);
  group.archived = true;
}

function membersOf(portal: Portal, group: Group): Property[] {
  const properties = [...portal.properties.values()];
  return properties.filter((property) => !property.archived && property.groupName === group.name);
}

function missing(name: string): Reply {
  return notFound(`Property group '${name}' does not exist for object type '0-1'`);
}
