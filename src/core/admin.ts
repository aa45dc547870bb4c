/** Who looks after the service by browser: what a link opens, what is kept of it, and what is written down. */

export const ADMIN_HOME = "/admin/integrations";
export const SIGN_IN_PATH = "/admin/sign-in";

/** A link to sign in by is good for so long, and once. */
export const ADMIN_LINK_MS = 15 * 60_000;
/** Whoever came by one is signed in for so long. */
export const ADMIN_SESSION_MS = 12 * 3_600_000;

export interface Admin {
  /** The only org that is shown; null for all. */
  org: string | null;
  /** Who made the link, as `alice as root`. */
  who: string;
}

/** A link as the log keeps it: enough to know it by, not to open it. */
export interface AdminLink extends Admin {
  /** SHA-256 of the secret that only the link holds, in hex. */
  hash: string;
  createdAt: number;
  expiresAt: number;
}

export interface AdminSession extends Admin {
  /** SHA-256 of the secret that only the browser's cookie holds, in hex. */
  hash: string;
  expiresAt: number;
}

/** What became of a link when somebody came with its secret. */
export type OpenedAdminLink = { kind: "good"; link: AdminLink } | { kind: "unknown" | "used" | "expired" };

export const AUDITED = ["signed in", "showed addresses", "asked the vendor", "connect", "resync"] as const;

/** What somebody did, or was shown, by the page. Names no candidate but by the invitation. */
export interface AuditEntry {
  at: number;
  /** Who made the link that the browser came by. */
  who: string;
  /** Whose data it was; null for every org's. */
  org: string | null;
  what: (typeof AUDITED)[number];
  /** As `acme/hubspot/production` or `invitation inv_7Q2`. */
  about: string;
}

/** Does this admin see what belongs to that org? */
export function maySee({ org }: Pick<Admin, "org">, whose: string): boolean {
  return org === null || org === whose;
}
