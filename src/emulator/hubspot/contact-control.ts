/** What a person does with contacts in the portal's own pages: makes one, merges two, takes an address out again. */
import { badInput } from "../control.ts";
import { type Call, isRecord, isStringArray, json, parseJson, type Reply } from "../http.ts";
import { dropClaims, ownerOf, secondaryAddresses, takeClaims } from "./contact-identity.ts";
import { normalizeEmail } from "./contact-values.ts";
import { addContact, writeContacts } from "./contact-write.ts";
import { isRefusal, refuse } from "./errors.ts";
import type { Contact, Portal } from "./portal.ts";

interface Place {
  portal: Portal;
  at: string;
}

/** `{email, additional?, properties?}`: a contact with several addresses. */
export function makeContact(place: Place, call: Call): Reply {
  const input = parseJson(call.body);
  const { email, additional = [], properties = {} } = isRecord(input) ? input : {};
  if (typeof email !== "string" || !isStringArray(additional) || !isRecord(properties))
    return badInput('"email" is missing, "additional" is no list of texts, or "properties" is no object');
  const addresses = { email, ...(additional.length > 0 && { hs_additional_emails: additional.join(";") }) };
  const made = writeContacts(place, "create", [{ properties: { ...properties, ...addresses } }]);
  if (!Array.isArray(made)) return refuse(made);
  const [outcome = {}] = made;
  if (isRefusal(outcome)) return refuse(outcome);
  return json(201, shown(ownerOf(place.portal, "email", email)));
}

/**
 * `{primaryId, mergedId, keepsId?}`: one contact with the addresses of both; the primary's values count. It has a new id
 * unless the portal keeps the primary's, as some do: https://developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts/guide
 */
export function mergeContacts({ portal, at }: Place, call: Call): Reply {
  const input = parseJson(call.body);
  const { primaryId, mergedId, keepsId = false } = isRecord(input) ? input : {};
  const [primary, merged] = [primaryId, mergedId].map((id) => portal.contacts.get(String(id)));
  if (!primary || !merged || primary === merged)
    return badInput('"primaryId" and "mergedId" name two contacts of the portal');
  const addresses = [primary, merged].flatMap(addressesOf);
  for (const contact of [primary, merged]) dropClaims(portal, contact);
  portal.contacts.delete(merged.id);
  const properties = { ...merged.properties, ...primary.properties };
  const survivor = keepsId ? primary : addContact(portal, at);
  if (survivor !== primary) portal.contacts.delete(primary.id);
  survivor.properties = properties;
  setAddresses(survivor, addresses);
  survivor.updatedAt = at;
  takeClaims(portal, survivor);
  return json(200, shown(survivor));
}

/** `{email}`: this address leaves the contact and is one of its own from now on, without values. */
export function unmergeContact({ portal, at }: Place, call: Call, id: string): Reply {
  const input = parseJson(call.body);
  const email = normalizeEmail(String(isRecord(input) ? input.email : ""));
  const contact = portal.contacts.get(id);
  const others = contact ? addressesOf(contact).filter((address) => address !== email) : [];
  if (!contact || others.length === 0 || others.length === addressesOf(contact).length)
    return badInput("the contact is unknown, or the address is not one of several that it has");
  dropClaims(portal, contact);
  setAddresses(contact, others);
  contact.updatedAt = at;
  takeClaims(portal, contact);
  const own = addContact(portal, at);
  setAddresses(own, [email]);
  takeClaims(portal, own);
  return json(200, shown(own));
}

function addressesOf({ properties }: Contact): string[] {
  return [properties.email, ...secondaryAddresses(properties)].flatMap((address) => address || []);
}

function setAddresses({ properties }: Contact, [email = "", ...additional]: readonly string[]): void {
  properties.email = email;
  if (additional.length > 0) properties.hs_additional_emails = additional.join(";");
  else delete properties.hs_additional_emails;
}

function shown(contact: Contact | undefined): object {
  return { id: contact?.id, email: contact?.properties.email, properties: contact?.properties };
}
