/** SmartRecruiters as its documents have it: results go to candidate properties and into the activity feed. */
import type { Clock } from "../../../shared/clock.ts";
import type { Http } from "../../../shared/http.ts";
import type { Destination } from "../../contract/destination.ts";
import { apiOf, type PublishedSettings, withoutSlash } from "../settings.ts";
import { WORDS } from "../words.ts";
import { missingScopes, readAccount } from "./account.ts";
import { PUBLISHED, REFRESH_TOKEN_LIFE_MS, SCOPES } from "./contract.ts";

export function createPublished(settings: PublishedSettings, http: Http, clock: Clock): Destination {
  const { clientId, region } = settings;
  const api = apiOf(settings, { http, clock, profile: PUBLISHED });
  const identity = withoutSlash(settings.identityBase);
  const tokenBase = settings.tokenHost === "identity" ? identity : api.base;
  return {
    ...WORDS,
    ...(settings.place === undefined ? {} : { place: settings.place }),
    profile: "published",
    subject: "assessment",
    batchSize: 1,
    rateLimit: PUBLISHED.rateLimit,
    authorization: {
      authorizeUrl: `${identity}/identity/oauth/allow`,
      tokenUrl: `${tokenBase}/identity/oauth/token`,
      revokeUrl: null,
      introspectUrl: null,
      clientId,
      orgClientIdKey: "smartrecruiters_client_id",
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
    account: (access) => readAccount({ ...api, access }, region, clientId),
    missingScopes: (access) => missingScopes({ ...api, access }),
    project: (invites) => ({ projection: invites.length > 0 ? { title: "results" } : {}, warnings: [] }),
    // Until results have their place in this profile, they wait.
    send: async (_access, updates) => ({
      answers: updates.map(() => ({
        ...{ kind: "retry", isThrottle: false, reason: "results are not written in this profile yet" },
        ...{ httpStatus: null, notBefore: null, correlationId: null },
      })),
      ...{ httpStatus: null, correlationId: null, durationMs: 0 },
    }),
    planFields: async () => ({
      ...{ group: null, create: [], existing: [], drifted: [], overQuota: [], leftOut: [] },
    }),
    applyFields: async (_access, { existing }) => ({
      ...{ created: [], existing, drifted: [], overQuota: [], leftOut: [], known: existing },
    }),
  };
}
