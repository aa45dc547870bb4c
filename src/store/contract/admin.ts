import type { AdminLink, AdminSession, AuditEntry, OpenedAdminLink } from "../../core/admin.ts";

/** Who may look at everything by browser, and what was looked at. Secrets are kept as hashes alone. */
export interface AdminVerbs {
  /** Keeps a new link; those that ended are forgotten. */
  openAdminLink(link: AdminLink): Promise<void>;
  /** What would become of it; changes nothing. */
  lookAtAdminLink(hash: string, now: number): Promise<OpenedAdminLink>;
  /** Uses a link up and begins the session, in one step: one browser alone gets it. */
  redeemAdminLink(request: RedeemRequest): Promise<OpenedAdminLink>;
  /** Null where there is none, or it has ended. */
  adminSession(hash: string, now: number): Promise<AdminSession | null>;
  endAdminSession(hash: string): Promise<void>;
  /** Writes down what somebody did or was shown. */
  audit(entry: AuditEntry): Promise<void>;
  /** What was written down, newest first; of one org, or all (`null`). */
  audited(org: string | null, limit: number): Promise<AuditEntry[]>;
}

export interface RedeemRequest {
  hash: string;
  now: number;
  session: Pick<AdminSession, "hash" | "expiresAt">;
}
