/** One HubSpot account ("portal"): what lives in it and what it reports of itself. */
import { type CallTimes, noCalls } from "../rate-limit.ts";

export interface Option {
  label: string;
  value: string;
  displayOrder: number;
  hidden: boolean;
}

export interface Property {
  name: string;
  label: string;
  type: string;
  fieldType: string;
  groupName: string;
  description: string;
  options: Option[];
  displayOrder: number;
  hasUniqueValue: boolean;
  hidden: boolean;
  formField: boolean;
  hubspotDefined: boolean;
  archived: boolean;
  createdAt: string;
  updatedAt: string;
  archivedAt?: string;
  /** Sensitive data stands in no list, and takes values only by scopes of its own. */
  dataSensitivity: DataSensitivity;
  modificationMetadata: { archivable: boolean; readOnlyDefinition: boolean; readOnlyValue: boolean };
}

export type DataSensitivity = (typeof SENSITIVITIES)[number];
export const SENSITIVITIES = ["non_sensitive", "sensitive", "highly_sensitive"] as const;

export interface Group {
  name: string;
  label: string;
  displayOrder: number;
  archived: boolean;
}

export interface Contact {
  id: string;
  /** What was written; the dates and the id, which are properties too, are added when it is read. */
  properties: Record<string, string>;
  createdAt: string;
  updatedAt: string;
}

export interface PortalProfile {
  accountType: string;
  dataHostingLocation: string;
  timeZone: string;
  /** Custom properties per object; `null` is a developer test account's 1,000. */
  propertyQuota: number | null;
  /** How many properties or groups a list holds; `null` is all of them, as published: "no paging". */
  pageSize: number | null;
  /** What an admin lets apps have; `null` is all they ask for. */
  grantedScopes: string[] | null;
  /** So long contacts do not know a property that was just created. */
  propertyLagMs: number;
}

export interface Portal {
  id: number;
  profile: PortalProfile;
  groups: Map<string, Group>;
  /** Archived ones stay, because creating their name again restores them. */
  properties: Map<string, Property>;
  /** By id, in the order of creation. */
  contacts: Map<string, Contact>;
  lastContactId: number;
  /** What was deleted and can be restored, by id. */
  recycleBin: Map<string, Contact>;
  /** For each property with unique values: who has which. `email` holds secondary addresses too. */
  owners: Map<string, Map<string, Contact>>;
  /** Addresses that were deleted for good. */
  blocklist: Set<string>;
  calls: CallTimes;
  /** Properties that no value can be written to, though their definitions are there: until when, ms since the epoch. */
  unwritable: Map<string, number>;
}

export const DEFAULT_PORTAL_ID = 8480001;

export const DEFAULT_PROFILE: PortalProfile = {
  accountType: "DEVELOPER_TEST",
  dataHostingLocation: "eu1",
  timeZone: "UTC",
  propertyQuota: null,
  pageSize: null,
  grantedScopes: null,
  propertyLagMs: 0,
};

const DEVELOPER_ACCOUNT_QUOTA = 1_000;
const BUILT_IN_GROUP = "contactinformation";

/** A new portal, with the few of HubSpot's own properties that callers meet. */
export function createPortal(id: number, profile: PortalProfile, createdAt: string): Portal {
  const portal: Portal = {
    id,
    profile: { ...profile },
    groups: new Map(),
    properties: new Map(),
    contacts: new Map(),
    lastContactId: 100,
    recycleBin: new Map(),
    owners: new Map([["email", new Map<string, Contact>()]]),
    blocklist: new Set(),
    calls: noCalls(),
    unwritable: new Map(),
  };
  portal.groups.set(BUILT_IN_GROUP, {
    name: BUILT_IN_GROUP,
    label: "Contact information",
    displayOrder: 0,
    archived: false,
  });
  for (const [name, label, type, fieldType] of WRITABLE)
    portal.properties.set(name, builtIn({ name, label, type, fieldType, createdAt, readOnlyValue: false }));
  for (const [name, label, type, fieldType] of READ_ONLY)
    portal.properties.set(name, builtIn({ name, label, type, fieldType, createdAt, readOnlyValue: true }));
  return portal;
}

const WRITABLE = [
  ["email", "Email", "string", "text"],
  ["hs_additional_emails", "Additional email addresses", "string", "text"],
  ["firstname", "First Name", "string", "text"],
  ["lastname", "Last Name", "string", "text"],
  ["phone", "Phone Number", "string", "phonenumber"],
  ["company", "Company Name", "string", "text"],
  ["jobtitle", "Job Title", "string", "text"],
  ["website", "Website URL", "string", "text"],
] as const;

const READ_ONLY = [
  ["hs_object_id", "Record ID", "number", "number"],
  ["createdate", "Create Date", "datetime", "date"],
  ["lastmodifieddate", "Last Modified Date", "datetime", "date"],
] as const;

function builtIn(given: {
  name: string;
  label: string;
  type: string;
  fieldType: string;
  createdAt: string;
  readOnlyValue: boolean;
}): Property {
  const { readOnlyValue, ...definition } = given;
  return {
    ...definition,
    groupName: BUILT_IN_GROUP,
    description: "",
    options: [],
    displayOrder: -1,
    hasUniqueValue: given.name === "email",
    hidden: false,
    formField: !readOnlyValue,
    hubspotDefined: true,
    archived: false,
    updatedAt: given.createdAt,
    dataSensitivity: "non_sensitive",
    modificationMetadata: { archivable: false, readOnlyDefinition: true, readOnlyValue },
  };
}

/** The definition under this name that is in use. */
export function activeProperty(portal: Portal, name: string): Property | undefined {
  const property = portal.properties.get(name);
  return property?.archived ? undefined : property;
}

export function activeGroup(portal: Portal, name: string): Group | undefined {
  const group = portal.groups.get(name);
  return group?.archived ? undefined : group;
}

export function customProperties(portal: Portal): Property[] {
  return [...portal.properties.values()].filter((property) => !property.archived && !property.hubspotDefined);
}

export function propertyQuota(portal: Portal): number {
  return portal.profile.propertyQuota ?? DEVELOPER_ACCOUNT_QUOTA;
}
