import { createHash } from "node:crypto";
import { connectionName, type ConnectionName } from "../../core/connection.ts";
import type { Consent } from "../../core/consent.ts";
import { deriveKey, seal, unseal } from "../../shared/seal.ts";
import { authorizeUrl, newAttempt } from "./authorize.ts";
import type { TokenIssuer } from "../endpoint/issuer.ts";

/**
 * A link that outlives the process that made it. Its state is in the link alone: the log keeps a hash to know it by,
 * and the PKCE verifier sealed with a key that only the state yields.
 */
export function newConsentLink(
  { authorization }: Pick<TokenIssuer, "authorization">,
  connection: ConnectionName,
  redirectUri: string,
): { url: string } & Pick<Consent, "hash" | "verifier"> {
  const attempt = newAttempt(authorization);
  const { state, verifier } = attempt;
  const sealed = seal(keyFrom(state), boundTo({ ...connection, redirectUri }), verifier ?? NO_VERIFIER);
  return {
    url: authorizeUrl(authorization, attempt, redirectUri),
    hash: hashOfState(state),
    verifier: sealed.toString("base64url"),
  };
}

/** By what the log knows a state. */
export function hashOfState(state: string): string {
  return createHash("sha256").update(state).digest("hex");
}

/** Could this be a state of ours at all? Everything else need not be looked up. */
export function looksLikeState(text: string): boolean {
  return /^[\w-]{43}$/.test(text);
}

/** Throws when the row is not as it was written: for another connection, say, or another redirect URI. */
export function openVerifier(state: string, consent: Consent): string | null {
  const sealed = Buffer.from(consent.verifier, "base64url");
  const verifier = unseal(keyFrom(state), boundTo(consent), sealed);
  if (verifier === null) throw new Error(`the link for ${connectionName(consent)} was altered in the log`);
  return verifier === NO_VERIFIER ? null : verifier;
}

/** Where PKCE is turned off. */
const NO_VERIFIER = "";

/** The state is 256 random bits: it needs no salt. */
function keyFrom(state: string): Buffer {
  return deriveKey("consent", Buffer.from(state), Buffer.alloc(0));
}

function boundTo(consent: ConnectionName & Pick<Consent, "redirectUri">): string {
  return `${connectionName(consent)} ${consent.redirectUri}`;
}
