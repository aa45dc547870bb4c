/** Who has which address or other unique value: the index behind upsert, and the ground for its conflicts. */
import { normalizeEmail } from "./contact-values.ts";
import type { Contact, Portal } from "./portal.ts";

export interface UniqueValue {
  property: string;
  value: string;
}

/** The contact with this value of a unique property; for `email` a secondary address counts too. */
export function ownerOf(portal: Portal, property: string, value: string): Contact | undefined {
  return portal.owners.get(property)?.get(property === "email" ? normalizeEmail(value) : value);
}

export function secondaryAddresses(properties: Readonly<Record<string, string>>): string[] {
  const text = properties.hs_additional_emails;
  return text ? text.split(";") : [];
}

/** The unique values that a contact with these properties holds. */
export function uniqueValuesOf(portal: Portal, properties: Readonly<Record<string, string>>): UniqueValue[] {
  const claims: UniqueValue[] = [];
  for (const property of portal.owners.keys()) {
    const value = properties[property];
    if (value) claims.push({ property, value });
  }
  for (const value of secondaryAddresses(properties)) claims.push({ property: "email", value });
  return claims;
}

/** Whether writing these values can change who has what. */
export function touchesIdentity(portal: Portal, values: Readonly<Record<string, string>>): boolean {
  if ("hs_additional_emails" in values) return true;
  for (const property of portal.owners.keys()) if (property in values) return true;
  return false;
}

export function takeClaims(portal: Portal, contact: Contact): void {
  for (const { property, value } of uniqueValuesOf(portal, contact.properties))
    portal.owners.get(property)?.set(value, contact);
}

export function dropClaims(portal: Portal, contact: Contact): void {
  for (const { property, value } of uniqueValuesOf(portal, contact.properties))
    portal.owners.get(property)?.delete(value);
}
