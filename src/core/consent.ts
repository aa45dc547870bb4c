import type { ConnectionName } from "./connection.ts";

/** A link that was handed to an account's admin, as the log keeps it: enough to know the answer, not to give one. */
export interface Consent extends ConnectionName {
  /** SHA-256 of the state that only the link holds, in hex. */
  hash: string;
  /** The PKCE verifier, sealed with the state; in base64url. */
  verifier: string;
  /** Exactly as the link names it: the exchange has to repeat it. */
  redirectUri: string;
  /** The operator said so: consent may come from another account than before. */
  allowsOtherAccount: boolean;
  createdAt: number;
  expiresAt: number;
}

/** What became of a link when somebody came back with its state. */
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

/** How long a link is good, unless something else ends it. */
export const CONSENT_LIFE_MS = 7 * 24 * 3_600_000;
