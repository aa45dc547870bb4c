/** The Properties API for contacts: definitions are created, read, changed and archived. */
import { empty, isRecord, json, type Reply } from "../http.ts";
import type { ApiCall, ApiRoute } from "./api.ts";
import { batchAnswer, batchInputs } from "./batch.ts";
import { answerDefinitions } from "./definition-list.ts";
import { isRefusal, notFound, type Refusal, refusal, refuse } from "./errors.ts";
import { activeProperty, customProperties, type Portal, type Property, propertyQuota } from "./portal.ts";
import { readDefinition } from "./property-definition.ts";

export const READ_SCOPES = [
  "crm.schemas.contacts.read",
  "crm.schemas.contacts.write",
  "crm.objects.contacts.read",
  "crm.objects.contacts.write",
];
export const WRITE_SCOPES = ["crm.schemas.contacts.write"];

/** https://developers.hubspot.com/docs/api-reference/latest/crm/properties/guide */
const MAX_UNIQUE_PROPERTIES = 10;

const PATH = "/crm/properties/contacts";

export const propertyRoutes: readonly ApiRoute[] = [
  { method: "GET", path: PATH, scopes: READ_SCOPES, answer: list },
  { method: "POST", path: PATH, scopes: WRITE_SCOPES, answer: create },
  { method: "POST", path: `${PATH}/batch/create`, scopes: WRITE_SCOPES, answer: createBatch },
  { method: "POST", path: `${PATH}/batch/read`, scopes: READ_SCOPES, answer: readBatch },
  { method: "POST", path: `${PATH}/batch/archive`, scopes: WRITE_SCOPES, answer: archiveBatch },
  { method: "GET", path: `${PATH}/:name`, scopes: READ_SCOPES, answer: read },
  { method: "PATCH", path: `${PATH}/:name`, scopes: WRITE_SCOPES, answer: change },
  { method: "DELETE", path: `${PATH}/:name`, scopes: WRITE_SCOPES, answer: archive },
];

function list(call: ApiCall): Reply {
  const archived = call.query.get("archived") === "true";
  const sensitivity = call.query.get("dataSensitivity") ?? "non_sensitive";
  const properties = [...call.portal.properties.values()].filter(
    (property) => property.archived === archived && property.dataSensitivity === sensitivity,
  );
  return answerDefinitions(call, properties);
}

function read({ portal, query, param }: ApiCall): Reply {
  const property = findProperty(portal, param("name"), query.get("archived") === "true");
  return isRefusal(property) ? refuse(property) : json(200, property);
}

function create(call: ApiCall): Reply {
  const property = createProperty(call, call.input);
  if (isRefusal(property)) return refuse(property);
  return json(201, property, { location: `${call.path}/${property.name}` });
}

function createBatch(call: ApiCall): Reply {
  const outcomes = batchInputs(call.input).map((input) => createProperty(call, input));
  const full = call.version === "2026-09" ? 200 : 201;
  return batchAnswer({ at: call.at, outcomes, full, partial: call.version === "2026-09" ? 200 : 207 });
}

function readBatch(call: ApiCall): Reply {
  const archived = isRecord(call.input) && call.input.archived === true;
  const outcomes = batchInputs(call.input).map((input) =>
    findProperty(call.portal, isRecord(input) ? String(input.name) : "", archived),
  );
  return batchAnswer({ at: call.at, outcomes, full: 200, partial: 207 });
}

/** Answers 204 whatever state the properties were in. */
function archiveBatch({ portal, input, at }: ApiCall): Reply {
  for (const item of batchInputs(input)) {
    const property = isRecord(item) ? activeProperty(portal, String(item.name)) : undefined;
    if (property && !property.hubspotDefined) archiveProperty(portal, property, at);
  }
  return empty(204);
}

/** Fields left out keep their value; a given `options` replaces the whole list. */
function change({ portal, version, input, param, at }: ApiCall): Reply {
  const property = activeProperty(portal, param("name"));
  if (!property) return missing(param("name"));
  if (property.hubspotDefined) return refuse(readOnly(property));
  // The name and uniqueness of a property never change; HubSpot ignores the attempt in silence.
  const { name, hasUniqueValue } = property;
  const wanted = { ...property, ...(isRecord(input) ? input : {}), name, hasUniqueValue };
  const definition = readDefinition(portal, version, wanted);
  if (isRefusal(definition)) return refuse(definition);
  return json(200, Object.assign(property, definition, { updatedAt: at }));
}

function archive({ portal, param, at }: ApiCall): Reply {
  const property = activeProperty(portal, param("name"));
  if (!property) return missing(param("name"));
  if (property.hubspotDefined) return refuse(readOnly(property));
  archiveProperty(portal, property, at);
  return empty(204);
}

function createProperty({ portal, version, at }: ApiCall, input: unknown): Property | Refusal {
  const definition = readDefinition(portal, version, isRecord(input) ? input : {});
  if (isRefusal(definition)) return definition;
  const { name, hasUniqueValue } = definition;
  if (activeProperty(portal, name))
    return refusal(
      409,
      "OBJECT_ALREADY_EXISTS",
      `A property named '${name}' already exists.`,
      "Properties.PROPERTY_WITH_NAME_EXISTS",
    );
  const custom = customProperties(portal);
  if (custom.length >= propertyQuota(portal))
    return refusal(
      400,
      "VALIDATION_ERROR",
      `The limit of ${propertyQuota(portal)} custom properties for contacts is reached`,
    );
  if (hasUniqueValue && custom.filter((other) => other.hasUniqueValue).length >= MAX_UNIQUE_PROPERTIES)
    return refusal(400, "VALIDATION_ERROR", `at most ${MAX_UNIQUE_PROPERTIES} unique properties are allowed`);
  const property: Property = {
    ...definition,
    hubspotDefined: false,
    archived: false,
    // An archived property of that name comes back: with its old date, the new definition and no values.
    createdAt: portal.properties.get(name)?.createdAt ?? at,
    updatedAt: at,
    dataSensitivity: "non_sensitive",
    modificationMetadata: { archivable: true, readOnlyDefinition: false, readOnlyValue: false },
  };
  portal.properties.set(name, property);
  portal.unwritable.set(name, Date.parse(at) + portal.profile.propertyLagMs);
  if (hasUniqueValue) portal.owners.set(name, new Map());
  return property;
}

/** Archives a definition; its values vanish from the contacts. */
export function archiveProperty(portal: Portal, property: Property, at: string): void {
  property.archived = true;
  property.archivedAt = at;
  portal.owners.delete(property.name);
  for (const contact of portal.contacts.values()) delete contact.properties[property.name];
}

function findProperty(portal: Portal, name: string, archived: boolean): Property | Refusal {
  const property = portal.properties.get(name);
  if (property?.archived === archived) return property;
  return refusal(404, "OBJECT_NOT_FOUND", missingMessage(name));
}

function missing(name: string): Reply {
  return notFound(missingMessage(name));
}

function missingMessage(name: string): string {
  return `Property '${name}' does not exist for object type '0-1'`;
}

function readOnly({ name }: Property): Refusal {
  return refusal(400, "VALIDATION_ERROR", `Property '${name}' is defined by HubSpot and cannot be changed`);
}
