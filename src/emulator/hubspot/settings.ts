/** What tests and operators may set about the HubSpot side. */
import { isStringArray } from "../http.ts";
import { isBoolean, isCount, isText, orNull, type Settings, setting } from "../settings.ts";
import { type HubspotWorld, type Introspection, INTROSPECTIONS, selectPortal } from "./world.ts";

export function hubspotSettings(world: HubspotWorld): Settings {
  return {
    read: () => {
      const { current, redirectUris, oneUseTokens, accessTokenSeconds, tellsScopes, introspection } = world;
      const ofApp = { redirectUris, oneUseTokens, accessTokenSeconds, tellsScopes, introspection };
      return { portalId: current.id, ...current.profile, ...ofApp };
    },
    accept: {
      // First, so that what is posted with it belongs to this portal.
      portalId: setting("a whole number", isCount, (id) => selectPortal(world, id)),
      accountType: setting("text such as STANDARD or SANDBOX", isText, (accountType) => {
        world.current.profile.accountType = accountType;
      }),
      dataHostingLocation: setting("text such as eu1 or na1", isText, (location) => {
        world.current.profile.dataHostingLocation = location;
      }),
      timeZone: setting("text such as Europe/Berlin", isText, (timeZone) => {
        world.current.profile.timeZone = timeZone;
      }),
      propertyQuota: setting("a whole number, or null", orNull(isCount), (quota) => {
        world.current.profile.propertyQuota = quota;
      }),
      pageSize: setting("a whole number above 0, or null", orNull(isPageSize), (size) => {
        world.current.profile.pageSize = size;
      }),
      grantedScopes: setting("a list of texts, or null", orNull(isStringArray), (scopes) => {
        world.current.profile.grantedScopes = scopes;
      }),
      propertyLagMs: setting("a whole number", isCount, (lagMs) => {
        world.current.profile.propertyLagMs = lagMs;
      }),
      redirectUris: setting("a list of texts, or null", orNull(isStringArray), (uris) => {
        world.redirectUris = uris;
      }),
      oneUseTokens: setting("true or false", isBoolean, (oneUse) => {
        world.oneUseTokens = oneUse;
      }),
      tellsScopes: setting("true or false", isBoolean, (tells) => {
        world.tellsScopes = tells;
      }),
      introspection: setting("whole, active, or null", orNull(isIntrospection), (introspection) => {
        world.introspection = introspection;
      }),
      accessTokenSeconds: setting("a whole number", isCount, (seconds) => {
        world.accessTokenSeconds = seconds;
      }),
    },
  };
}

function isIntrospection(value: unknown): value is Introspection {
  return INTROSPECTIONS.some((known) => known === value);
}

function isPageSize(value: unknown): value is number {
  return isCount(value) && value > 0;
}
