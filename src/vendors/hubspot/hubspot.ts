/** HubSpot, which holds the results as properties of contacts. */
import type { Clock } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";
import type { Http } from "../../shared/http.ts";
import { checkBaseUrl, isLoopback } from "../../shared/url.ts";
import { settingsOf } from "../../shared/vendor-settings.ts";
import type { Destination, VendorOptions } from "../contract/destination.ts";
import type { RateLimit } from "../../core/delivery/rate-window.ts";
import { readAccount, uninstallApp } from "./account.ts";
import { applyFields, planFields } from "./bootstrap.ts";
import { MOST_CONTACTS_PER_CALL, upsertContacts, upsertPresent } from "./contacts.ts";
import { KEYS, type Recreate, type Tier } from "./keys.ts";
import { eraseContacts } from "./erase.ts";
import { presentContacts } from "./present.ts";
import { DEFINITIONS } from "./properties.ts";
import { lookAtProperty } from "./property.ts";
import { mapContact } from "./score-mapping.ts";
import { readContact, refuseTrial, removeContact } from "./trial.ts";
import { type ApiVersion, VERSIONS } from "./versions.ts";
import { WORDS } from "./words.ts";

export interface HubspotSettings {
  /** `https://api.hubapi.com`, or an emulator's. */
  apiBase: string;
  authorizeUrl: string;
  apiVersion: ApiVersion;
  clientId: string;
  pkce: boolean;
  redirectPort: number;
  /** Where JobCannon's dashboard shows results: `https://jobcannon.io`. */
  resultBase: string;
  tier: Tier;
  /** `always` unless given. */
  recreate?: Recreate;
  /** Whose account it is, for advice; absent where that is nobody's in particular. */
  place?: Destination["place"];
}

const TEN_SECONDS_MS = 10_000;
/** Calls per portal, by kind of portal and app: https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines */
const RATE_LIMITS: Record<Tier, RateLimit | null> = {
  free: { calls: 100, windowMs: TEN_SECONDS_MS },
  paid: { calls: 150, windowMs: TEN_SECONDS_MS },
  marketplace: { calls: 110, windowMs: TEN_SECONDS_MS },
  none: null,
};

const SCOPES = [
  "oauth",
  "crm.objects.contacts.read",
  "crm.objects.contacts.write",
  "crm.schemas.contacts.read",
  "crm.schemas.contacts.write",
];

export function openHubspot({ config, http, clock, ...of }: VendorOptions): Destination {
  const own = settingsOf(config, { vendor: "hubspot", keys: KEYS }, of);
  return createHubspot(
    {
      apiBase: own.api_base,
      authorizeUrl: own.authorize_url,
      apiVersion: own.api_version,
      clientId: own.client_id,
      pkce: own.pkce,
      redirectPort: own.redirect_port,
      resultBase: config["jobcannon.result_base"],
      tier: own.tier,
      recreate: own.recreate,
      place: of,
    },
    http,
    clock,
  );
}

export function createHubspot(settings: HubspotSettings, http: Http, clock: Clock): Destination {
  if (settings.tier === "none" && !isLoopback(checkBaseUrl(settings.apiBase, "hubspot.api_base"))) {
    throw new AppError("CONFIG_INVALID", 'the tier "none" is for an emulator on this machine', {
      hint: "Set hubspot.tier to free, paid or marketplace.",
    });
  }
  const base = settings.apiBase.replace(/\/+$/, "");
  const { paths } = VERSIONS[settings.apiVersion];
  const place = settings.place === undefined ? {} : { place: settings.place };
  const api = { http, clock, base, paths, ...place };
  return {
    ...WORDS,
    ...place,
    subject: "contact",
    batchSize: MOST_CONTACTS_PER_CALL,
    rateLimit: RATE_LIMITS[settings.tier],
    authorization: {
      authorizeUrl: settings.authorizeUrl,
      tokenUrl: base + paths.token,
      revokeUrl: base + paths.revoke,
      introspectUrl: base + paths.introspect,
      clientId: settings.clientId,
      clientSecretName: "hubspot.client-secret",
      scopes: SCOPES,
      pkce: settings.pkce,
      refreshTokenLifeMs: null,
      redirectPort: settings.redirectPort,
      redirectPath: "/hubspot/oauth-callback",
      refusesIpAddresses: true,
    },
    account: (access) => readAccount({ ...api, access }),
    uninstall: (access) => uninstallApp({ ...api, access }),
    project: (invites, knownFields, forgotten = null) =>
      mapContact(invites, { resultBase: settings.resultBase, knownFields, forgotten }),
    send: (access, updates) =>
      settings.recreate === "never"
        ? upsertPresent({ ...api, access }, updates)
        : upsertContacts({ ...api, access }, updates),
    ...(settings.recreate === "never"
      ? { present: (access, subjects) => presentContacts({ ...api, access }, subjects) }
      : {}),
    erase: (access, person) => eraseContacts({ ...api, access }, person),
    planFields: (access, leftOut) => planFields({ ...api, access }, leftOut),
    applyFields: (access, plan) => applyFields({ ...api, access }, plan),
    ownFields: {
      names: DEFINITIONS.map(({ name }) => name),
      look: (access, name) => lookAtProperty({ ...api, access }, name),
    },
    refuseTrial,
    trial: {
      read: (access, wanted) => readContact({ ...api, access }, wanted),
      remove: (access, subject) => removeContact({ ...api, access }, subject),
    },
  };
}
