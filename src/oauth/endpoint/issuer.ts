import { connectCommand } from "../../core/advice/command-lines.ts";
import type { Authorization } from "../../core/authorization.ts";
import type { ConnectionName } from "../../core/connection.ts";
import type { Secret } from "../../shared/secret.ts";

/** Whom we ask for consent and tokens; every destination is one. */
export interface TokenIssuer {
  vendor: string;
  /** As people write it: "HubSpot". */
  label: string;
  authorization: Authorization;
  /** Whose account it is to be, for advice; absent where that is nobody's in particular. */
  place?: Pick<ConnectionName, "org" | "environment">;
  /** What the vendor's setup guide says about a redirect URI that is not registered, in sentences without full stops. */
  commonErrors?: { redirectUri(uri: string): { cause: string; fixes: readonly string[] } };
}

/** What to do when the vendor does not take the redirect URI. */
export function redirectHint({ commonErrors }: TokenIssuer, uri: string): string {
  const guide = commonErrors?.redirectUri(uri);
  if (!guide) return `Register exactly this one with the app: ${uri}`;
  return [guide.cause, ...guide.fixes].map((sentence) => `${sentence}.`).join(" ");
}

/** Vendors say it in words where they have no code for it. */
export function speaksOfRedirectUri(words: string): boolean {
  return /redirect.?ur[il]/i.test(words);
}

/** What a server says that wants PKCE, or does not take what we sent of it. */
export function speaksOfPkce(words: string): boolean {
  return /\bpkce\b|code.?(verifier|challenge)/i.test(words);
}

/** The setting to try, where it may be PKCE. */
export function pkceHint({ vendor, authorization }: TokenIssuer): string {
  return `set ${vendor}.pkce = ${authorization.pkce ? "false" : "true"}`;
}

/** What a vendor's token endpoint handed out. */
export interface Grant {
  accessToken: Secret;
  /** Null where the vendor sent none: the one in use stays good. */
  refreshToken: Secret | null;
  /** Null where the vendor does not tell. */
  expiresAt: number | null;
  /** Null where the vendor does not tell. */
  scopes: string[] | null;
  /** The vendor's id of the account, if the answer names one. */
  accountId: string | null;
}

/** What the operator types to give consent anew. */
export function connectAgain({ vendor, place }: Pick<TokenIssuer, "vendor" | "place">): string {
  return connectCommand({ vendor, ...place });
}
