/** How an account is opened: by a consent in the browser, by the app's own credentials, or by a key of the account's admin. */
export const CONNECT_METHODS = ["code", "client-credentials", "api-key"] as const;
export type ConnectMethod = (typeof CONNECT_METHODS)[number];

/** Where and how a vendor asks for consent and hands out tokens. */
export interface Authorization {
  authorizeUrl: string;
  tokenUrl: string;
  /** Null where the vendor has no way to revoke. */
  revokeUrl: string | null;
  /** Tells whose account a token opens; null where the vendor does not say. */
  introspectUrl: string | null;
  clientId: string;
  /** The key under `[orgs.<org>]` that gives one org a client id of its own; absent where there is none. */
  orgClientIdKey?: string;
  /** `clientId` is by that key. */
  isOrgsClientId?: boolean;
  /** Name under which `secrets set` keeps the client secret. */
  clientSecretName: string;
  /** Name of the secret with the account's API key; absent where there is no such way in. */
  apiKeyName?: string;
  /** The ways in, the usual one first; absent where there is but the consent. */
  methods?: readonly ConnectMethod[];
  /** How the app names itself at the token endpoint, by RFC 6749, 2.3.1; in the body where absent. */
  clientAuth?: "client_secret_post" | "client_secret_basic";
  /** False where the exchange of a code leaves the redirect URI out. */
  sendsRedirectUri?: boolean;
  scopes: readonly string[];
  /** Scopes that stand for several others. */
  impliedScopes?: Readonly<Record<string, readonly string[]>>;
  pkce: boolean;
  /** How long a refresh token is good, counted from its issue; null where it does not end by itself. */
  refreshTokenLifeMs: number | null;
  /** Of the loopback listener; 0 takes any free one. */
  redirectPort: number;
  /** `/hubspot/oauth-callback`, on the loopback listener and on the public one. */
  redirectPath: string;
  /** It sends nobody back to a URL whose host is an IP address. */
  refusesIpAddresses?: true;
}

/** How an account is opened where nobody says: the way it was opened before, else the vendor's usual one. */
export function usualMethod(
  { methods = ["code"] }: Pick<Authorization, "methods">,
  before: { account: unknown; method?: ConnectMethod | null } | null,
): ConnectMethod {
  const last = before?.account ? (before.method ?? "code") : null;
  return methods.find((each) => each === last) ?? methods[0] ?? "code";
}
