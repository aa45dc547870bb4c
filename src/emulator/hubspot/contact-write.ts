/**
 * Creates and changes contacts, up to 100 in one call. Everything is checked before anything is written, so a call
 * that is refused whole has changed nothing.
 */
import type { ApiCall } from "./api.ts";
import {
  uniqueValuesOf,
  dropClaims,
  ownerOf,
  secondaryAddresses,
  takeClaims,
  touchesIdentity,
} from "./contact-identity.ts";
import {
  haveOwnTraceIds,
  type Input,
  readInputs,
  RECORD_ID,
  refuseWhole,
  type WriteMode,
} from "./contact-inputs.ts";
import { problemsMessage, readValues } from "./contact-values.ts";
import { invalidInput, isRefusal, type Refusal, refusal } from "./errors.ts";
import { activeProperty, type Contact, type Portal } from "./portal.ts";

interface Change {
  input: Input;
  /** The contact to change; without one it is created. */
  contact: Contact | undefined;
  values: Record<string, string>;
}

/** One outcome for each record, written or refused; or one refusal for the whole call. */
export function writeContacts(
  { portal, at }: Pick<ApiCall, "portal" | "at">,
  mode: WriteMode,
  given: unknown[],
): (object | Refusal)[] | Refusal {
  const inputs = readInputs(given, mode);
  if (isRefusal(inputs)) return inputs;
  const whole = refuseWhole(portal, inputs);
  if (whole) return whole;
  const changes: Change[] = [];
  const refusals: Refusal[] = [];
  const isTraced = haveOwnTraceIds(inputs);
  for (const input of inputs) {
    const planned = plan({ portal, at }, mode, input);
    if (!isRefusal(planned)) changes.push(planned);
    // Without trace ids the first bad record sinks them all.
    else if (isTraced) refusals.push(traced(planned, input));
    else return planned;
  }
  const clash = findClash(portal, changes);
  if (clash) return clash;
  const written = changes.map((change) => describeChange(write(portal, change, at), change, mode));
  // HubSpot gives results in no order one could rely on; reversed, nobody comes to rely on it.
  return [...written.reverse(), ...refusals];
}

function plan(
  { portal, at }: Pick<ApiCall, "portal" | "at">,
  mode: WriteMode,
  input: Input,
): Change | Refusal {
  const { id, idProperty } = input;
  const isByRecord = idProperty === RECORD_ID;
  const contact = isByRecord ? portal.contacts.get(id) : ownerOf(portal, idProperty, id);
  if (!contact && (mode === "update" || (mode === "upsert" && isByRecord)))
    return refusal(404, "OBJECT_NOT_FOUND", `No contact has ${idProperty} "${id}"`);
  // The id alone is enough to create a contact: it becomes the value of its property.
  const given = contact || id === "" ? input.properties : { [idProperty]: id, ...input.properties };
  const { values, problems } = readValues(portal, given, Date.parse(at));
  if (problems.length > 0) return invalidInput(problemsMessage(portal, problems));
  const isNameless = !values.email && !values.firstname && !values.lastname;
  if (!contact && isNameless)
    return invalidInput("A contact needs at least one of email, firstname, lastname");
  return { input, contact, values };
}

function traced({ refused, error }: Refusal, { traceId = "" }: Input): Refusal {
  return { refused, error: { ...error, context: { objectWriteTraceId: [traceId] } } };
}

/** Two records that are one contact, or a value another contact has: HubSpot refuses the whole call with 409. */
function findClash(portal: Portal, changes: Change[]): Refusal | undefined {
  const targets = new Set<Contact>();
  const claimed = new Set<string>();
  for (const { contact, values } of changes) {
    if (contact && targets.has(contact)) return conflict(contact);
    if (contact) targets.add(contact);
    if (contact && !touchesIdentity(portal, values)) continue;
    for (const { property, value } of uniqueValuesOf(portal, values)) {
      const owner = portal.owners.get(property)?.get(value);
      if (owner && owner !== contact) return conflict(owner);
      const key = `${property} ${value}`;
      if (!owner && claimed.has(key))
        return refusal(409, "CONFLICT", `Two records claim the same ${property}`);
      claimed.add(key);
    }
  }
  return undefined;
}

function conflict({ id }: Contact): Refusal {
  return refusal(409, "CONFLICT", `Contact already exists. Existing ID: ${id}`);
}

function write(portal: Portal, { contact: known, values }: Change, at: string): Contact {
  const contact = known ?? addContact(portal, at);
  const movesIdentity = !known || touchesIdentity(portal, values);
  if (movesIdentity) dropClaims(portal, contact);
  const { properties } = contact;
  if (values.email) promoteSecondary(properties, values.email);
  for (const [name, value] of Object.entries(values)) {
    if (value === "") delete properties[name];
    else properties[name] = value.startsWith(";") ? append(portal, name, properties[name], value) : value;
  }
  contact.updatedAt = at;
  if (movesIdentity) takeClaims(portal, contact);
  return contact;
}

export function addContact(portal: Portal, at: string): Contact {
  portal.lastContactId++;
  const contact: Contact = { id: String(portal.lastContactId), properties: {}, createdAt: at, updatedAt: at };
  portal.contacts.set(contact.id, contact);
  return contact;
}

/** A secondary address that becomes the primary one changes places with it. */
function promoteSecondary(properties: Record<string, string>, email: string): void {
  const others = secondaryAddresses(properties);
  if (!others.includes(email)) return;
  const swapped = others.map((address) => (address === email ? properties.email : address));
  properties.hs_additional_emails = swapped.filter(Boolean).join(";");
}

/** `;b` adds to the checked boxes; anything else that starts so is plain text. */
function append(portal: Portal, name: string, present: string | undefined, value: string): string {
  if (activeProperty(portal, name)?.fieldType !== "checkbox") return value;
  return [...new Set([...(present?.split(";") ?? []), ...value.slice(1).split(";")])].join(";");
}

function describeChange(
  contact: Contact,
  { contact: known, input, values }: Change,
  mode: WriteMode,
): object {
  const { id, createdAt, updatedAt, properties } = contact;
  return {
    id,
    properties: {
      ...values,
      email: properties.email ?? null,
      [RECORD_ID]: id,
      createdate: createdAt,
      lastmodifieddate: updatedAt,
    },
    createdAt,
    updatedAt,
    archived: false,
    ...(mode === "upsert" && { new: !known }),
    ...(input.traceId !== undefined && { objectWriteTraceId: input.traceId }),
  };
}
