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
  /** Name under which `secrets set` keeps the client secret. */
  clientSecretName: string;
  scopes: readonly string[];
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
