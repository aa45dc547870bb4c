/** SmartRecruiters, whose scorecards hold the results. */
import type { Clock } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";
import { checkBaseUrl, type Http, isLoopback } from "../../shared/http.ts";
import { settingsOf } from "../../shared/vendor-settings.ts";
import type { Destination, VendorOptions } from "../contract/destination.ts";
import {
  advance,
  createCandidate,
  listAssessments,
  readScorecard,
  removeCandidate,
  testOf,
  triggerAssessment,
} from "./candidates.ts";
import { listCatalog, readCatalogEntry, setCatalogEntry } from "./catalog.ts";
import { differencesOf } from "./comparison.ts";
import { applyFields, planFields } from "./custom-fields.ts";
import { KEYS } from "./keys.ts";
import { PROFILES, type Profile } from "./profiles.ts";
import { RESULTS_PER_CALL, sendResults } from "./results.ts";
import { mapScorecard } from "./scorecard.ts";
import { smartrecruiters as source } from "./source.ts";
import { listSubscriptions, subscribe, unsubscribe } from "./subscriptions.ts";
import { WORDS } from "./words.ts";

export interface SmartrecruitersSettings {
  /** `https://api.smartrecruiters.com`, or an emulator's. */
  apiBase: string;
  identityBase: string;
  clientId: string;
  profile: Profile;
  redirectPort: number;
  /** As declared by the operator: the API does not tell it. */
  region: string | null;
  /** Where JobCannon's dashboard shows results: `https://jobcannon.io`. */
  resultBase: string;
  /** Whose account it is, for advice; absent where that is nobody's in particular. */
  place?: Destination["place"];
}

/** Each customer has an app of its own, and a sandbox hosts of its own. */
export function openSmartrecruiters({ config, http, clock, ...of }: VendorOptions): Destination {
  const section = { vendor: "smartrecruiters", keys: KEYS };
  const own = settingsOf(config, section, of);
  const production = settingsOf(config, section, { ...of, environment: "production" });
  const apiBase = own.api_base;
  const productionHosts = [KEYS.global.api_base.default, production.api_base].map(withoutSlash);
  const isProduction = productionHosts.includes(withoutSlash(apiBase));
  // A vendor's sandbox company may live on the usual host, but it has a client id of its own.
  const isSameAccount =
    of.environment === "sandbox" && isProduction && own.client_id === production.client_id;
  if (isSameAccount && !isLoopback(checkBaseUrl(apiBase, "sandbox.smartrecruiters.api_base")))
    throw notASandbox();
  const destination = createSmartrecruiters(
    {
      apiBase,
      identityBase: own.identity_base,
      clientId: own.client_id,
      profile: profileNamed(own.profile),
      redirectPort: own.redirect_port,
      region: own.region,
      resultBase: config["jobcannon.result_base"],
      place: of,
    },
    http,
    clock,
  );
  return {
    ...destination,
    refuseTrial: () =>
      isProduction
        ? `sandbox.smartrecruiters.api_base is the production API, ${apiBase}: a made-up candidate does not belong there`
        : null,
  };
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

export function createSmartrecruiters(
  settings: SmartrecruitersSettings,
  http: Http,
  clock: Clock,
): Destination {
  const { profile, clientId } = settings;
  const hosts = { api: withoutSlash(settings.apiBase), identity: withoutSlash(settings.identityBase) };
  const place = settings.place === undefined ? {} : { place: settings.place };
  const api = { http, clock, base: hosts.api, profile, ...place };
  return {
    ...WORDS,
    ...place,
    subject: "assessment",
    batchSize: RESULTS_PER_CALL,
    rateLimit: profile.rateLimit,
    authorization: {
      authorizeUrl: profile.authorizeUrl(hosts),
      tokenUrl: profile.tokenUrl(hosts),
      revokeUrl: null,
      introspectUrl: null,
      clientId,
      orgClientIdKey: "smartrecruiters_client_id",
      clientSecretName: "smartrecruiters.client-secret",
      scopes: profile.scopes,
      pkce: false,
      redirectPort: settings.redirectPort,
      redirectPath: profile.redirectPath,
      refreshTokenLifeMs: profile.refreshTokenLifeMs,
    },
    // No call of the profile tells whose account it is, but each customer has a client id of its own.
    account: async () => ({ id: clientId, name: clientId, kind: null, region: settings.region }),
    project: (invites, knownFields) =>
      mapScorecard(invites, { resultBase: settings.resultBase, knownFields }),
    send: (access, updates) => sendResults({ ...api, access }, updates),
    planFields: (access) => planFields({ ...api, access }),
    applyFields: (_access, plan) => applyFields(plan),
    ats: {
      webhookPath: source.path,
      webhookSecretName: source.secretName,
      subscriptions: (access) => listSubscriptions({ ...api, access }),
      subscribe: (access, targetUrl) => subscribe({ ...api, access }, targetUrl),
      unsubscribe: (access, id) => unsubscribe({ ...api, access }, id),
      testOf: (access, of) => testOf({ ...api, access }, of),
      catalog: (access, jobId) => listCatalog({ ...api, access }, jobId),
      catalogEntry: (access, place) => readCatalogEntry({ ...api, access }, place),
      setCatalogEntry: (access, place, entry) => setCatalogEntry({ ...api, access }, place, entry),
      createCandidate: (access, person) => createCandidate({ ...api, access }, person),
      removeCandidate: (access, candidateId) => removeCandidate({ ...api, access }, candidateId),
      advance: (access, of) => advance({ ...api, access }, of),
      triggerAssessment: (access, of) => triggerAssessment({ ...api, access }, of),
      assessments: (access, candidateId) => listAssessments({ ...api, access }, candidateId),
      scorecard: (access, candidateId) => readScorecard({ ...api, access }, candidateId),
      differences: differencesOf,
    },
  };
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}

/** Throws `CONFIG_INVALID` for one that is not spoken yet. */
function profileNamed(wanted: string): Profile {
  for (const [name, profile] of Object.entries(PROFILES)) if (name === wanted) return profile;
  throw new AppError("CONFIG_INVALID", `the SmartRecruiters profile ${wanted} is not supported yet`, {
    hint: `Set smartrecruiters.profile to ${Object.keys(PROFILES).join(" or ")}.`,
  });
}
