/** SmartRecruiters as the setup guide has it: its scorecards hold the results. */
import type { Clock } from "../../../shared/clock.ts";
import type { Http } from "../../../shared/http.ts";
import type { Destination } from "../../contract/destination.ts";
import {
  advance,
  createCandidate,
  listAssessments,
  readScorecard,
  removeCandidate,
  triggerAssessment,
} from "./candidates.ts";
import { listCatalog, readCatalogEntry, setCatalogEntry } from "./catalog.ts";
import { differencesOf } from "./comparison.ts";
import { applyFields, planFields } from "./custom-fields.ts";
import { clearResults } from "./erase.ts";
import { RESULTS_PER_CALL, sendResults } from "./results.ts";
import { mapScorecard } from "./scorecard.ts";
import { apiOf, type SmartrecruitersSettings, withoutSlash } from "../settings.ts";
import { V1 } from "./profile.ts";
import { listSubscriptions, subscribe, unsubscribe } from "./subscriptions.ts";
import { WEBHOOK_PATH, WEBHOOK_SECRET, WORDS } from "../words.ts";

export function createV1(settings: SmartrecruitersSettings, http: Http, clock: Clock): Destination {
  const { clientId } = settings;
  const api = apiOf(settings, { http, clock, profile: V1 });
  const hosts = { api: api.base, identity: withoutSlash(settings.identityBase) };
  return {
    ...WORDS,
    ...(settings.place === undefined ? {} : { place: settings.place }),
    subject: "assessment",
    batchSize: RESULTS_PER_CALL,
    rateLimit: V1.rateLimit,
    authorization: {
      authorizeUrl: V1.authorizeUrl(hosts),
      tokenUrl: V1.tokenUrl(hosts),
      revokeUrl: null,
      introspectUrl: null,
      clientId,
      orgClientIdKey: "smartrecruiters_client_id",
      isOrgsClientId: settings.isOrgsClientId === true,
      clientSecretName: "smartrecruiters.client-secret",
      scopes: V1.scopes,
      pkce: settings.pkce,
      redirectPort: settings.redirectPort,
      redirectPath: V1.redirectPath,
      refreshTokenLifeMs: V1.refreshTokenLifeMs,
    },
    declaredRegion: settings.region,
    // No call of the profile tells whose account it is, but each customer has a client id of its own.
    account: async () => ({ id: clientId, name: clientId, kind: null, region: settings.region }),
    project: (invites, knownFields) =>
      mapScorecard(invites, { resultBase: settings.resultBase, knownFields }),
    send: (access, updates) => sendResults({ ...api, access }, updates),
    erase: (access, { subjects }) => clearResults({ ...api, access }, subjects),
    planFields: (access) => planFields({ ...api, access }),
    applyFields: (_access, plan) => applyFields(plan),
    ats: {
      webhookPath: WEBHOOK_PATH,
      webhookSecretName: WEBHOOK_SECRET,
      subscriptions: (access) => listSubscriptions({ ...api, access }),
      subscribe: (access, targetUrl) => subscribe({ ...api, access }, targetUrl),
      unsubscribe: (access, id) => unsubscribe({ ...api, access }, id),
      catalog: {
        kept: "there",
        list: (access, jobId) => listCatalog({ ...api, access }, jobId),
        entry: (access, place) => readCatalogEntry({ ...api, access }, place),
        set: (access, place, entry) => setCatalogEntry({ ...api, access }, place, entry),
      },
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
