/** HubSpot's API versions: where each keeps the calls we make, and until when it is supported. */

export interface Endpoints {
  contacts: string;
  upsertContacts: string;
  eraseContact: string;
  properties: string;
  propertyGroups: string;
  propertyLimits: string;
  accountDetails: string;
  token: string;
  revoke: string;
  introspect: string;
  uninstall: string;
}

export interface VersionEntry {
  paths: Endpoints;
  /** First day on which HubSpot may have ended support. Unsupported is not switched off, but nobody mends it. */
  supportedUntil: string;
  source: string;
}

/** The one place to add a version: configuration, documents and `status` have it from here. */
export const VERSIONS = {
  v3: {
    paths: {
      contacts: "/crm/v3/objects/contacts",
      upsertContacts: "/crm/v3/objects/contacts/batch/upsert",
      eraseContact: "/crm/v3/objects/contacts/gdpr-delete",
      properties: "/crm/v3/properties/contacts",
      propertyGroups: "/crm/v3/properties/contacts/groups",
      propertyLimits: "/crm/v3/limits/custom-properties",
      accountDetails: "/account-info/v3/details",
      token: "/oauth/v3/token",
      revoke: "/oauth/v3/token/revoke",
      introspect: "/oauth/v3/token/introspect",
      uninstall: "/appinstalls/v3/external-install",
    },
    // Announced for September 2027 without a day.
    supportedUntil: "2027-09-01",
    source:
      "https://developers.hubspot.com/changelog/legacy-apis-and-legacy-apps-whats-going-unsupported-and-when",
  },
  // Dated versions are supported for 18 months after their release.
  "2026-03": {
    paths: datedPaths("2026-03"),
    supportedUntil: "2027-09-30",
    source: "https://developers.hubspot.com/docs/developer-tooling/platform/versioning",
  },
  "2026-09": {
    paths: datedPaths("2026-09"),
    supportedUntil: "2028-03-08",
    source: "https://developers.hubspot.com/docs/developer-tooling/platform/versioning",
  },
} satisfies Record<string, VersionEntry>;

export type ApiVersion = keyof typeof VERSIONS;

export const API_VERSIONS = Object.keys(VERSIONS).filter(isVersion);

function isVersion(name: string): name is ApiVersion {
  return Object.hasOwn(VERSIONS, name);
}

function datedPaths(version: string): Endpoints {
  return {
    contacts: `/crm/objects/${version}/contacts`,
    upsertContacts: `/crm/objects/${version}/contacts/batch/upsert`,
    eraseContact: `/crm/objects/${version}/contacts/gdpr-delete`,
    properties: `/crm/properties/${version}/contacts`,
    propertyGroups: `/crm/properties/${version}/contacts/groups`,
    propertyLimits: `/crm/limits/${version}/custom-properties`,
    accountDetails: `/account-info/${version}/details`,
    token: `/oauth/${version}/token`,
    revoke: `/oauth/${version}/token/revoke`,
    introspect: `/oauth/${version}/token/introspect`,
    uninstall: `/appinstalls/${version}/external-install`,
  };
}
