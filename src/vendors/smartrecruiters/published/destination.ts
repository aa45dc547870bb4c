/** SmartRecruiters as its documents have it: results go to candidate properties and into the activity feed. */
import type { Clock } from "../../../shared/clock.ts";
import type { Http } from "../../../shared/http.ts";
import type { Destination } from "../../contract/destination.ts";
import { apiOf, type PublishedSettings, withoutSlash } from "../settings.ts";
import { WEBHOOK_PATH, WEBHOOK_SECRET, WORDS } from "../words.ts";
import { missingScopes, readAccount } from "./account.ts";
import { mapResult } from "./projection.ts";
import { applyProperties, planProperties } from "./properties.ts";
import { clearResults } from "./erase.ts";
import { candidatesWith } from "./whose.ts";
import { sendResult } from "./results.ts";
import { changedSince, failedCallbacks } from "./callbacks.ts";
import { hasJob, readPerson, readStages } from "./stages.ts";
import { activate, listSubscriptions, makeKey, subscribe, unsubscribe } from "./subscriptions.ts";
import { trialOf } from "./trial.ts";
import { readValues } from "./values.ts";
import { publishedProfile, REFRESH_TOKEN_LIFE_MS, SCOPES } from "./contract.ts";

export function createPublished(settings: PublishedSettings, http: Http, clock: Clock): Destination {
  const { clientId, region } = settings;
  const profile = publishedProfile(settings.callsPerSecond);
  const api = apiOf(settings, { http, clock, profile });
  const identity = withoutSlash(settings.identityBase);
  const tokenBase = settings.tokenHost === "identity" ? identity : api.base;
  return {
    ...WORDS,
    ...(settings.place === undefined ? {} : { place: settings.place }),
    profile: "published",
    fieldWords: ["candidate property", "candidate properties"],
    subject: "result",
    batchSize: 1,
    rateLimit: profile.rateLimit,
    authorization: {
      authorizeUrl: `${identity}/identity/oauth/allow`,
      tokenUrl: `${tokenBase}/identity/oauth/token`,
      revokeUrl: null,
      introspectUrl: null,
      clientId,
      orgClientIdKey: "smartrecruiters_client_id",
      isOrgsClientId: settings.isOrgsClientId === true,
      clientSecretName: "smartrecruiters.client-secret",
      apiKeyName: "smartrecruiters.api-key",
      methods: ["client-credentials", "api-key", "code"],
      clientAuth: settings.clientAuth,
      sendsRedirectUri: settings.sendsRedirectUri,
      scopes: SCOPES,
      impliedScopes: { webhooks_manage: ["webhooks_read", "webhooks_write", "webhooks_delete"] },
      pkce: settings.pkce,
      redirectPort: settings.redirectPort,
      redirectPath: "/smartrecruiters/oauth-callback",
      refreshTokenLifeMs: REFRESH_TOKEN_LIFE_MS,
    },
    declaredRegion: settings.region,
    ats: {
      webhookPath: WEBHOOK_PATH,
      webhookSecretName: WEBHOOK_SECRET,
      onSuspension: settings.onSuspension,
      subscriptions: (access) => listSubscriptions({ ...api, access }),
      subscribe: (access, targetUrl) => subscribe({ ...api, access }, targetUrl),
      unsubscribe: (access, id) => unsubscribe({ ...api, access }, id),
      activate: (access, id) => activate({ ...api, access }, id),
      makeSecret: (access, id) => makeKey({ ...api, access }, id),
      missed: (access, of) => failedCallbacks({ ...api, access }, of),
      changedSince: (access, since) => changedSince({ ...api, access }, since),
      catalog: {
        kept: "here",
        stages: (access) => readStages({ ...api, access }),
        hasJob: (access, jobId) => hasJob({ ...api, access }, jobId),
      },
      person: (access, candidateId) => readPerson({ ...api, access }, candidateId),
      values: (access, of) => readValues({ ...api, access }, of),
      ...trialOf((access) => ({ ...api, access })),
    },
    account: (access) => readAccount({ ...api, access }, region, clientId),
    missingScopes: (access) => missingScopes({ ...api, access }),
    project: (invites, knownFields) =>
      mapResult(invites, { resultBase: settings.resultBase, knownFields, results: settings.results }),
    send: (access, updates) => sendResult({ ...api, access }, updates),
    erase: (access, person) => clearResults({ ...api, access }, person),
    peopleMakeFields: true,
    planFields: (access) => planProperties({ ...api, access }),
    applyFields: (_access, plan) => applyProperties(plan),
    candidatesWith: (access, email) => candidatesWith({ ...api, access }, email),
  };
}
