import type { Consent } from "../../core/consent.ts";

/** A link for consent, as a row. While `outcome` is null it is open, or held by the process that redeems it. */
export interface ConsentRow {
  hash: string;
  org: string;
  vendor: string;
  environment: Consent["environment"];
  seal: string;
  redirect_uri: string;
  account_id: string | null;
  allows_other_account: number;
  allows_cross_region: number;
  created_at: number;
  expires_at: number;
  begun_by: string | null;
  return_to: string | null;
  used_at: number | null;
  outcome: "connected" | "voided" | null;
}

export function consentOf(row: ConsentRow): Consent {
  return {
    hash: row.hash,
    org: row.org,
    vendor: row.vendor,
    environment: row.environment,
    seal: row.seal,
    redirectUri: row.redirect_uri,
    accountId: row.account_id,
    allowsOtherAccount: row.allows_other_account === 1,
    allowsCrossRegion: row.allows_cross_region === 1,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    ...(row.begun_by !== null && row.return_to !== null
      ? { begun: { by: row.begun_by, returnTo: row.return_to } }
      : {}),
  };
}
