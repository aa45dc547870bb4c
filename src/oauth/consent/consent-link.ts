import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { connectionName } from "../../core/connection.ts";
import type { Consent } from "../../core/consent.ts";
import { deriveKey, seal, unseal } from "../../shared/seal.ts";
import type { TokenIssuer } from "../endpoint/issuer.ts";
import { type Attempt, authorizeUrl } from "./authorize.ts";

/**
 * A link that outlives the process that made it, and what ties an answer to the browser that asked (RFC 9700 §4.7). The
 * link's secret is in the link alone: the log keeps a hash to know it by, and a seal over the row. A browser's cookie holds
 * that secret and a random number of its own; state and PKCE verifier follow from both, so nothing is stored for them, and
 * whoever has the link, the state or the log, but not the cookie, can answer nothing.
 */
export function newLinkSecret(): string {
  return randomText();
}

/** By what the log knows a link. */
export function hashOfLink(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** Could this be a secret of ours at all? Everything else need not be looked up. */
export function looksLikeSecret(text: string): boolean {
  return /^[\w-]{43}$/.test(text);
}

export function sealOf(secret: string, consent: Omit<Consent, "hash" | "seal">): string {
  return seal(keyFrom("consent", secret), boundTo(consent), "").toString("base64url");
}

/** Throws when the row is not as it was written: for another org, say, or another account. */
export function checkSeal(secret: string, consent: Consent): void {
  const sealed = Buffer.from(consent.seal, "base64url");
  if (unseal(keyFrom("consent", secret), boundTo(consent), sealed) === null)
    throw new Error(`the link for ${connectionName(consent)} was altered in the log`);
}

/** What a browser keeps from the button to the vendor's answer. */
export function newCookie(secret: string): string {
  return `${secret}.${randomText()}`;
}

/** The secret of the link that a cookie of ours belongs to; null for what is none. */
export function secretIn(cookie: string): string | null {
  const [secret = "", number = "", ...more] = cookie.split(".");
  return more.length === 0 && looksLikeSecret(secret) && looksLikeSecret(number) ? secret : null;
}

export function attemptOf(cookie: string, { pkce }: { pkce: boolean }): Attempt {
  return {
    state: keyFrom("consent state", cookie).toString("base64url"),
    verifier: pkce ? keyFrom("consent verifier", cookie).toString("base64url") : null,
  };
}

/** Does an answer with this state belong to the browser that has this cookie? */
export function isAnswerTo(cookie: string, state: string): boolean {
  const expected = Buffer.from(attemptOf(cookie, { pkce: false }).state);
  const given = Buffer.from(state);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** Where the button leads. */
export function vendorUrl({ authorization }: TokenIssuer, cookie: string, redirectUri: string): string {
  return authorizeUrl(authorization, attemptOf(cookie, authorization), redirectUri);
}

/** 256 bits, in letters that need no escaping in a URL. */
function randomText(): string {
  return randomBytes(32).toString("base64url");
}

/** What it comes from is random: it needs no salt. */
function keyFrom(purpose: string, material: string): Buffer {
  return deriveKey(purpose, Buffer.from(material), Buffer.alloc(0));
}

function boundTo({
  redirectUri,
  accountId,
  allowsOtherAccount,
  allowsCrossRegion,
  expiresAt,
  begun,
  ...name
}: Omit<Consent, "hash" | "seal">): string {
  // Links that an older program made know nothing of regions and of the page, and stay good.
  const allowed = allowsCrossRegion ? ["cross-region"] : [];
  const started = begun ? [[begun.by, begun.returnTo]] : [];
  const rest = [redirectUri, accountId, allowsOtherAccount, expiresAt, ...allowed, ...started];
  return JSON.stringify([connectionName(name), ...rest]);
}
