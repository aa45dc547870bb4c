/** The Contacts API: writing in batches or one by one, reading, deleting. */
import { empty, isRecord, isStringArray, json, type Reply } from "../http.ts";
import type { ApiCall, ApiRoute } from "./api.ts";
import { batchAnswer, batchInputs } from "./batch.ts";
import { dropClaims, ownerOf, takeClaims } from "./contact-identity.ts";
import { normalizeEmail } from "./contact-values.ts";
import type { WriteMode } from "./contact-inputs.ts";
import { writeContacts } from "./contact-write.ts";
import { invalid, isRefusal, notFound, refuse } from "./errors.ts";
import type { Contact, Portal } from "./portal.ts";

const READ = ["crm.objects.contacts.read"];
const WRITE = ["crm.objects.contacts.write"];
const PATH = "/crm/objects/contacts";

export const contactRoutes: readonly ApiRoute[] = [
  {
    method: "POST",
    path: `${PATH}/batch/upsert`,
    scopes: WRITE,
    answer: (call) => writeBatch(call, "upsert"),
  },
  {
    method: "POST",
    path: `${PATH}/batch/create`,
    scopes: WRITE,
    answer: (call) => writeBatch(call, "create"),
  },
  {
    method: "POST",
    path: `${PATH}/batch/update`,
    scopes: WRITE,
    answer: (call) => writeBatch(call, "update"),
  },
  { method: "POST", path: `${PATH}/batch/read`, scopes: READ, answer: readBatch },
  { method: "POST", path: `${PATH}/batch/archive`, scopes: WRITE, answer: deleteBatch },
  { method: "POST", path: `${PATH}/gdpr-delete`, scopes: WRITE, answer: deleteForGood },
  { method: "GET", path: PATH, scopes: READ, answer: list },
  { method: "POST", path: PATH, scopes: WRITE, answer: createOne },
  { method: "GET", path: `${PATH}/:id`, scopes: READ, answer: readOne },
  { method: "PATCH", path: `${PATH}/:id`, scopes: WRITE, answer: changeOne },
  { method: "DELETE", path: `${PATH}/:id`, scopes: WRITE, answer: deleteOne },
];

const DEFAULT_PROPERTIES = ["email", "firstname", "lastname"];

function writeBatch(call: ApiCall, mode: WriteMode): Reply {
  const outcomes = writeContacts(call, mode, batchInputs(call.input));
  if (!Array.isArray(outcomes)) return refuse(outcomes);
  // The published contract of 2026-09 knows only 200 for upsert, and puts the errors into its body.
  const partial = mode === "upsert" && call.version === "2026-09" ? 200 : 207;
  return batchAnswer({ at: call.at, outcomes, full: mode === "create" ? 201 : 200, partial });
}

function createOne(call: ApiCall): Reply {
  return writeOne(call, "create", 201, call.input);
}

function changeOne(call: ApiCall): Reply {
  const idProperty = call.query.get("idProperty") ?? undefined;
  const { properties } = isRecord(call.input) ? call.input : {};
  return writeOne(call, "update", 200, { id: call.param("id"), idProperty, properties });
}

function writeOne(call: ApiCall, mode: WriteMode, status: number, input: unknown): Reply {
  const outcomes = writeContacts(call, mode, [input]);
  if (!Array.isArray(outcomes)) return refuse(outcomes);
  const [outcome] = outcomes;
  return outcome && isRefusal(outcome) ? refuse(outcome) : json(status, outcome);
}

function readOne({ portal, param, query }: ApiCall): Reply {
  const contact = findContact(portal, param("id"), query.get("idProperty"));
  return contact
    ? json(200, describeContact(contact, wantedProperties(query)))
    : notFound("resource not found");
}

function readBatch({ portal, input, at }: ApiCall): Reply {
  const { idProperty, properties } = isRecord(input) ? input : {};
  const names = isStringArray(properties) ? properties : DEFAULT_PROPERTIES;
  const inputs = batchInputs(input);
  if (inputs.length > 100) return invalid("The maximum number of inputs supported in a batch request is 100");
  const found = new Set<Contact>();
  const lost: string[] = [];
  for (const item of inputs) {
    const id = isRecord(item) ? String(item.id) : "";
    const contact = findContact(portal, id, typeof idProperty === "string" ? idProperty : null);
    if (contact) found.add(contact);
    else lost.push(id);
  }
  const message =
    "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid.";
  const outcomes: object[] = [...found].map((contact) => describeContact(contact, names));
  if (lost.length > 0)
    outcomes.push({ refused: 404, error: { message, category: "OBJECT_NOT_FOUND", context: { ids: lost } } });
  return batchAnswer({ at, outcomes, full: 200, partial: 207 });
}

/** Pages by id: ids only ever grow, so a page starts where the last one ended without walking over the rest. */
function list({ portal, path, query }: ApiCall): Reply {
  const limit = Number(query.get("limit") ?? 10);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100) return invalid("limit must be from 1 to 100");
  const names = wantedProperties(query);
  const results: object[] = [];
  let id = Number(query.get("after") ?? 0);
  while (results.length < limit && id < portal.lastContactId) {
    id++;
    const contact = portal.contacts.get(String(id));
    if (contact) results.push(describeContact(contact, names));
  }
  if (id >= portal.lastContactId) return json(200, { results });
  const next = new URLSearchParams(query);
  next.set("after", String(id));
  return json(200, { results, paging: { next: { after: String(id), link: `${path}?${next}` } } });
}

/** Answers 204 for a contact that is not there, too. */
function deleteOne({ portal, param }: ApiCall): Reply {
  removeContact(portal, portal.contacts.get(param("id")));
  return empty(204);
}

function deleteBatch({ portal, input }: ApiCall): Reply {
  for (const item of batchInputs(input))
    if (isRecord(item)) removeContact(portal, portal.contacts.get(String(item.id)));
  return empty(204);
}

/** The privacy deletion. An address nobody has is put on a blocklist instead. */
function deleteForGood({ portal, input }: ApiCall): Reply {
  const { objectId, idProperty } = isRecord(input) ? input : {};
  if (typeof objectId !== "string" || objectId === "")
    return invalid("Some required fields were not set: [objectId]");
  const contact = findContact(portal, objectId, typeof idProperty === "string" ? idProperty : null);
  if (!contact && idProperty === "email") portal.blocklist.add(normalizeEmail(objectId));
  removeContact(portal, contact);
  if (contact) portal.recycleBin.delete(contact.id);
  return empty(204);
}

export function removeContact(portal: Portal, contact: Contact | undefined): void {
  if (!contact) return;
  dropClaims(portal, contact);
  portal.contacts.delete(contact.id);
  portal.recycleBin.set(contact.id, contact);
}

/** With its values, as a person in the portal may for 90 days. */
export function restoreContact(portal: Portal, contact: Contact): void {
  portal.recycleBin.delete(contact.id);
  portal.contacts.set(contact.id, contact);
  takeClaims(portal, contact);
}

function findContact(portal: Portal, id: string, idProperty: string | null): Contact | undefined {
  if (idProperty === null || idProperty === "hs_object_id") return portal.contacts.get(id);
  return ownerOf(portal, idProperty, id);
}

function wantedProperties(query: URLSearchParams): string[] {
  const names = query.getAll("properties").flatMap((text) => text.split(","));
  return names.length > 0 ? names : DEFAULT_PROPERTIES;
}

/** A property without a value reads `null`; id and dates are always there. */
function describeContact(
  { id, properties, createdAt, updatedAt }: Contact,
  names: readonly string[],
): object {
  const shown: Record<string, string | null> = {};
  for (const name of names) shown[name] = Object.hasOwn(properties, name) ? (properties[name] ?? null) : null;
  Object.assign(shown, { hs_object_id: id, createdate: createdAt, lastmodifieddate: updatedAt });
  return { id, properties: shown, createdAt, updatedAt, archived: false };
}
