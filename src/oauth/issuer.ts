import type { Authorization } from "../core/authorization.ts";
import type { Secret } from "../shared/secret.ts";

/** Whom we ask for consent and tokens; every destination is one. */
export interface TokenIssuer {
  vendor: string;
  /** As people write it: "HubSpot". */
  label: string;
  authorization: Authorization;
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
export function connectCommand(issuer: Pick<TokenIssuer, "vendor">): string {
  return `jc-integrations connect ${issuer.vendor}`;
}
