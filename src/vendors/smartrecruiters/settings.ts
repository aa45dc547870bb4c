/** What of the configuration is one account's. */
import type { Clock } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";
import type { Http } from "../../shared/http.ts";
import { checkBaseUrl, isLoopback } from "../../shared/url.ts";
import { isOrgsOwn, settingsOf } from "../../shared/vendor-settings.ts";
import type { Destination, VendorOptions } from "../contract/destination.ts";
import type { Api } from "./calling/api.ts";
import { KEYS, RESULTS, type ResultsTo } from "./keys.ts";
import type { Profile, ProfileName } from "./calling/profile.ts";

export interface SmartrecruitersSettings {
  /** `https://api.smartrecruiters.com`, or an emulator's. */
  apiBase: string;
  identityBase: string;
  clientId: string;
  /** The org's own, and not everybody's. */
  isOrgsClientId?: boolean;
  profile: ProfileName;
  pkce: boolean;
  redirectPort: number;
  /** As declared by the operator: the API does not tell it. */
  region: string | null;
  /** Where JobCannon's dashboard shows results: `https://jobcannon.io`. */
  resultBase: string;
  /** Whose account it is, for advice; absent where that is nobody's in particular. */
  place?: Destination["place"];
}

/** With what the vendor's documents leave open. */
export interface PublishedSettings extends SmartrecruitersSettings {
  clientAuth: "client_secret_post" | "client_secret_basic";
  /** Which of the two hosts hands out tokens. */
  tokenHost: "api" | "identity";
  /** Does the exchange of a code name the redirect URI again? */
  sendsRedirectUri: boolean;
  /** Of one endpoint. */
  callsPerSecond: number;
  results: readonly ResultsTo[];
  onSuspension: "reactivate" | "renew" | "tell";
}

/** Each customer has an app of its own, and a sandbox hosts of its own. Throws `CONFIG_INVALID`. */
export function readSettings({
  config,
  org,
  environment,
}: Pick<VendorOptions, "config" | "org" | "environment">): PublishedSettings & {
  isProduction: boolean;
} {
  const section = { vendor: "smartrecruiters", keys: KEYS };
  const own = settingsOf(config, section, { org, environment });
  const production = settingsOf(config, section, { org, environment: "production" });
  const apiBase = own.api_base;
  const productionHosts = [KEYS.global.api_base.default, production.api_base].map(withoutSlash);
  const isProduction = productionHosts.includes(withoutSlash(apiBase));
  // A vendor's sandbox company may live on the usual host, but it has a client id of its own.
  const isSameAccount = environment === "sandbox" && isProduction && own.client_id === production.client_id;
  if (isSameAccount && !isLoopback(checkBaseUrl(apiBase, "sandbox.smartrecruiters.api_base")))
    throw notASandbox();
  if (own.calls_per_second > MOST_CALLS && !isLoopback(checkBaseUrl(apiBase, "smartrecruiters.api_base")))
    throw tooManyCalls();
  return {
    apiBase,
    identityBase: own.identity_base,
    clientId: own.client_id,
    isOrgsClientId: isOrgsOwn(config, { ...section, name: "client_id" }, { org, environment }),
    profile: profileNamed(own.profile),
    pkce: own.pkce,
    clientAuth: own.client_auth,
    tokenHost: own.token_host,
    sendsRedirectUri: own.send_redirect_uri,
    callsPerSecond: own.calls_per_second,
    results: RESULTS.filter((each) => own.results.split(", ").includes(each)),
    onSuspension: own.on_suspension,
    redirectPort: own.redirect_port,
    region: own.region,
    resultBase: config["jobcannon.result_base"],
    place: { org, environment },
    isProduction,
  };
}

/** Where calls go, and in which profile. */
export function apiOf(
  { apiBase, place }: Pick<SmartrecruitersSettings, "apiBase" | "place">,
  { http, clock, profile }: { http: Http; clock: Clock; profile: Profile },
): Api {
  return { http, clock, base: withoutSlash(apiBase), profile, ...(place === undefined ? {} : { place }) };
}

/** The vendor's own figure: more would be refused. */
const MOST_CALLS = 10;

function tooManyCalls(): AppError {
  return new AppError("CONFIG_INVALID", "smartrecruiters.calls_per_second is more than the vendor allows", {
    hint: `Set it to ${MOST_CALLS} or less; more is for an emulator on this machine.`,
  });
}

function notASandbox(): AppError {
  return new AppError(
    "CONFIG_INVALID",
    "the SmartRecruiters sandbox is the production account: same host, same client id",
    {
      hint: "Give [sandbox.smartrecruiters] hosts, or a client_id, of its own.",
    },
  );
}

export function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}

/** `v201907` is the version in the path of the vendor's webhooks API, and was the profile's name once. */
function profileNamed(wanted: "v1" | "published" | "v201907"): ProfileName {
  return wanted === "v201907" ? "published" : wanted;
}
