import type { Claim } from "../../contract/store.ts";

/**
 * `Claim[]` as JSON, with the invites' states as they stand in their rows, and what is known of the account, which all share, once.
 * It is read once, by who projects them: to read it here and copy what was read to another thread costs more than
 * twice as much.
 */
export type ClaimsText = string;

export const NO_CLAIMS: ClaimsText = '{"claims":[]}';

export function claimsOf(text: ClaimsText): Claim[] {
  const { claims, account }: { claims: Claim[]; account: Pick<Claim, "knownFields" | "connectedAt"> } =
    JSON.parse(text);
  for (const claim of claims) Object.assign(claim, account);
  return claims;
}
