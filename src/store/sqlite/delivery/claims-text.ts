import type { Claim, Claimed } from "../../contract/store.ts";

/**
 * `Claim[]` as JSON. The invites stand in it as their rows hold them; what all claims share of the account stands in it
 * once. The thread that projects the claims parses it: to parse it in the store's thread and to copy the objects costs
 * more than twice as much.
 */
export type ClaimsText = string;

/** `Claimed`, its claims as text. */
export interface ClaimedText {
  text: ClaimsText;
  slot: Claimed["slot"];
}

export const NO_CLAIMS: ClaimsText = '{"claims":[]}';

export function claimedOf({ text, slot }: ClaimedText): Claimed {
  const { claims, account }: { claims: Claim[]; account: Pick<Claim, "knownFields" | "connectedAt"> } =
    JSON.parse(text);
  for (const claim of claims) Object.assign(claim, account);
  return { claims, slot };
}
