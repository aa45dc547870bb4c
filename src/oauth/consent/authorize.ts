import { createHash, randomBytes } from "node:crypto";
import type { Authorization } from "../../core/authorization.ts";
import { checkBaseUrl } from "../../shared/url.ts";

/** The two secrets of one try to get consent. */
export interface Attempt {
  /** Comes back with the redirect and proves that it answers this very try. */
  state: string;
  /** Proves at the exchange that we are who asked (RFC 7636); null where PKCE is turned off. */
  verifier: string | null;
}

export function newAttempt(authorization: Pick<Authorization, "pkce">): Attempt {
  return { state: randomText(), verifier: authorization.pkce ? randomText() : null };
}

/** Where the operator gives consent. Spaces travel as `%20`: not every vendor reads `+` as a space. */
export function authorizeUrl(authorization: Authorization, attempt: Attempt, redirectUri: string): string {
  const url = checkBaseUrl(authorization.authorizeUrl, "the address of the consent page");
  const query = [
    ["response_type", "code"],
    ["client_id", authorization.clientId],
    ["redirect_uri", redirectUri],
    ["scope", authorization.scopes.join(" ")],
    ["state", attempt.state],
    ...(attempt.verifier === null
      ? []
      : [
          ["code_challenge", createHash("sha256").update(attempt.verifier).digest("base64url")],
          ["code_challenge_method", "S256"],
        ]),
  ];
  const text = query.map(([name = "", value = ""]) => `${name}=${encodeURIComponent(value)}`).join("&");
  url.search = url.search ? `${url.search}&${text}` : text;
  return url.href;
}

/** 256 bits, in letters that need no escaping in a URL. */
function randomText(): string {
  return randomBytes(32).toString("base64url");
}
