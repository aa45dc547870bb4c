/**
 * The contracts a SmartRecruiters connection can speak, and all that differs between them: paths and the scope each
 * needs, the webhooks' signature, the rate limit, where consent is asked for. What the setup guide leaves open is
 * ours, unconfirmed by the vendor.
 */
import { createHmac } from "node:crypto";
import type { Secret } from "../../shared/secret.ts";
import type { Pieces } from "../contract/source.ts";
import type { RateLimit } from "../../core/delivery/rate-window.ts";

export type ProfileName = "v1";

export interface Profile {
  scopes: readonly string[];
  authorizeUrl(hosts: Hosts): string;
  tokenUrl(hosts: Hosts): string;
  redirectPath: string;
  /** How long a refresh token is good for, from the day it was given. */
  refreshTokenLifeMs: number;
  rateLimit: RateLimit;
  signature: Signature;
  /** The event we subscribe to, and what we have it sent with. */
  webhooks: { event: string; headers: Readonly<Record<string, string>> };
  endpoints: Readonly<Record<EndpointName, Endpoint>>;
}

/** Scheme and host of each, without a slash at the end. */
export interface Hosts {
  api: string;
  identity: string;
}

export interface Signature {
  /** As people write it. */
  header: string;
  /** The signature in the header's value; null where it holds none. */
  read(value: string): Buffer | null;
  /** What the secret makes of the body; null for a secret without a key in it, since anyone can sign with an empty one. */
  of(secret: Secret, body: Pieces): Buffer | null;
}

export interface Endpoint {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** With `{names}` for what a call fills in. */
  path: string;
  /** What a 403 is blamed on when it names no scope itself. */
  scope: string;
}

const ENDPOINTS_V1 = {
  createCandidate: { method: "POST", path: "/v1/candidates", scope: "candidates:write" },
  removeCandidate: { method: "DELETE", path: "/v1/candidates/{candidate}", scope: "candidates:write" },
  addToJob: { method: "POST", path: "/v1/candidates/{candidate}/jobs/{job}", scope: "candidates:write" },
  setStatus: {
    method: "PUT",
    path: "/v1/candidates/{candidate}/jobs/{job}/status",
    scope: "candidates:write",
  },
  scorecard: { method: "GET", path: "/v1/candidates/{candidate}/scorecard", scope: "candidates:read" },
  triggerAssessment: { method: "POST", path: "/v1/assessments", scope: "assessments:write" },
  assessments: { method: "GET", path: "/v1/assessments", scope: "assessments:read" },
  results: { method: "POST", path: "/v1/assessments/{assessment}/results", scope: "assessments:write" },
  customFields: { method: "GET", path: "/v1/custom-fields", scope: "custom_fields:read" },
  catalog: { method: "GET", path: "/v1/jobs/{job}/assessments", scope: "assessments:read" },
  catalogEntry: {
    method: "GET",
    path: "/v1/jobs/{job}/stages/{stage}/assessment",
    scope: "assessments:read",
  },
  setCatalogEntry: {
    method: "PUT",
    path: "/v1/jobs/{job}/stages/{stage}/assessment",
    scope: "assessments:write",
  },
  subscriptions: { method: "GET", path: "/v1/webhooks/subscriptions", scope: "assessments:read" },
  subscribe: { method: "POST", path: "/v1/webhooks/subscriptions", scope: "assessments:read" },
  unsubscribe: { method: "DELETE", path: "/v1/webhooks/subscriptions/{id}", scope: "assessments:read" },
} as const satisfies Record<string, Endpoint>;

export type EndpointName = keyof typeof ENDPOINTS_V1;

const YEAR_MS = 365 * 24 * 3_600_000;

export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  v1: {
    scopes: [
      "candidates:read",
      "candidates:write",
      "assessments:read",
      "assessments:write",
      "custom_fields:read",
    ],
    authorizeUrl: ({ identity }) => `${identity}/identity/oauth/allow`,
    tokenUrl: ({ identity }) => `${identity}/identity/oauth/token`,
    redirectPath: "/smartrecruiters/oauth-callback",
    refreshTokenLifeMs: 2 * YEAR_MS,
    rateLimit: { calls: 100, windowMs: 1_000 },
    signature: { header: "X-SmartRecruiters-Signature", read: hexOf, of: hmacOf },
    webhooks: { event: "candidate.assessment.completed", headers: { "X-Custom-Header": "JobCannon" } },
    endpoints: ENDPOINTS_V1,
  },
};

/** `sha256=<hex>`, or the hex alone. */
function hexOf(value: string): Buffer | null {
  const hex = value.trim().replace(/^sha256=/i, "");
  return /^[0-9a-f]{64}$/i.test(hex) ? Buffer.from(hex, "hex") : null;
}

/** The secret's text is the key. */
function hmacOf(secret: Secret, body: Pieces): Buffer | null {
  const key = secret.reveal().trim();
  if (key === "") return null;
  const hmac = createHmac("sha256", key);
  for (const piece of body) hmac.update(piece);
  return hmac.digest();
}
