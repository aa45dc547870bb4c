/**
 * The contract of the setup guide: paths and the scope each needs, the webhooks' signature, the rate limit, where consent
 * is asked for. What the guide leaves open is ours, unconfirmed by the vendor.
 */
import { createHmac } from "node:crypto";
import type { Secret } from "../../../shared/secret.ts";
import type { Pieces } from "../../contract/source.ts";
import type { Problem } from "../calling/problem.ts";
import type { Endpoint, Hosts, Profile } from "../calling/profile.ts";

export interface V1Profile extends Profile {
  authorizeUrl(hosts: Hosts): string;
  tokenUrl(hosts: Hosts): string;
  redirectPath: string;
  /** How long a refresh token is good for, from the day it was given. */
  refreshTokenLifeMs: number;
  signature: Signature;
  /** The event we subscribe to, and what we have it sent with. */
  webhooks: { event: string; headers: Readonly<Record<string, string>> };
}

export interface Signature {
  /** As people write it. */
  header: string;
  /** The signature in the header's value; null where it holds none. */
  read(value: string): Buffer | null;
  /** What the secret makes of the body; null for a secret without a key in it, since anyone can sign with an empty one. */
  of(secret: Secret, body: Pieces): Buffer | null;
}

export const ENDPOINTS = {
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

const YEAR_MS = 365 * 24 * 3_600_000;

export const V1: V1Profile = {
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
  speaksOfScope,
  rateLimit: { calls: 100, windowMs: 1_000 },
  signature: { header: "X-SmartRecruiters-Signature", read: hexOf, of: hmacOf },
  webhooks: { event: "candidate.assessment.completed", headers: { "X-Custom-Header": "JobCannon" } },
};

/** The guide knows one reason for a 403: any other has a code of its own that speaks of no permission, as does its message. */
function speaksOfScope({ code, message }: Problem): boolean {
  const words = `${code ?? ""} ${message}`;
  return code === null || /scope|oauth|permission|forbidden|access.?denied|unauthori[sz]ed/i.test(words);
}

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
