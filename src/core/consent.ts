import type { ConnectionName } from "./connection.ts";

/** A link that was handed to an account's admin, as the log keeps it: enough to know the answer, not to give one. */
export interface Consent extends ConnectionName {
  /** SHA-256 of the secret that only the link holds, in hex. */
  hash: string;
  /** What the link's secret seals all the rest with: an altered row does not open. In base64url. */
  seal: string;
  /** Where the vendor sends the admin back to. */
  redirectUri: string;
  /** The operator named it beforehand: consent from this account alone counts, and is confirmed. Else null. */
  accountId: string | null;
  /** The operator said so: consent may come from another account than before. */
  allowsOtherAccount: boolean;
  /** The operator said so: its data may rest in another region than the org's shall, or the log does. */
  allowsCrossRegion: boolean;
  createdAt: number;
  expiresAt: number;
  /** Absent where the link was handed to somebody. */
  begun?: BegunConsent;
}

/** A signed-in admin began it on the admin page: the account that answers counts as confirmed. */
export interface BegunConsent {
  /** Who, as the audit has it. */
  by: string;
  /** The origin of the page, where the browser is led back to. */
  returnTo: string;
}

/** What became of a link when somebody came with its secret. */
export type TakenConsent =
  | { kind: "taken"; consent: Consent }
  /** Nobody made such a link for this vendor, or it is too long ago. */
  | { kind: "unknown" }
  | { kind: "expired" }
  /** A newer link, a connect or a disconnect took its place. */
  | { kind: "voided" }
  /** It brought its connection. */
  | { kind: "used" }
  /** Somebody is at it this moment. */
  | { kind: "busy" };

/** Where a link leads, and the page that says how it ended: on the public listener of `serve`. */
export function linkPath(vendor: string): string {
  return `/${vendor}/connect`;
}

/** How long a consent may take that was begun on the admin page; its browser's cookie lives as long. */
export const BEGUN_CONSENT_LIFE_MS = 3_600_000;

/** How long a link is good, unless something else ends it. */
export const CONSENT_LIFE_MS = 7 * 24 * 3_600_000;
