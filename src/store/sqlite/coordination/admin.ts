import type { AdminLink, AdminSession, AuditEntry, OpenedAdminLink } from "../../../core/admin.ts";
import type { RedeemRequest } from "../../contract/store.ts";
import { type AdminLinkRow, openedLinkOf } from "../../rows/admin-links.ts";
import type { Db } from "../file/db.ts";
import { transaction } from "../file/transaction.ts";

/** One that was used or has ended is told from one that never was for as long as this. */
const REMEMBERED_MS = 24 * 3_600_000;

/** Links and sessions of the admin page, and its audit. */
export function createAdmin(db: Db) {
  const forgetLinks = db.prepare("DELETE FROM admin_links WHERE expires_at < ?");
  const forgetSessions = db.prepare("DELETE FROM admin_sessions WHERE expires_at <= ?");
  const insertLink = db.prepare(`
    INSERT INTO admin_links (hash, org, who, created_at, expires_at)
    VALUES (@hash, @org, @who, @createdAt, @expiresAt)`);
  const oneLink = db.prepare<[string], AdminLinkRow>(
    `SELECT hash, org, who, created_at AS createdAt, expires_at AS expiresAt, used_at AS usedAt
     FROM admin_links WHERE hash = ?`,
  );
  const useLink = db.prepare("UPDATE admin_links SET used_at = ? WHERE hash = ?");
  const insertSession = db.prepare(
    "INSERT INTO admin_sessions (hash, org, who, expires_at) VALUES (@hash, @org, @who, @expiresAt)",
  );
  const oneSession = db.prepare<[string, number], AdminSession>(
    "SELECT hash, org, who, expires_at AS expiresAt FROM admin_sessions WHERE hash = ? AND expires_at > ?",
  );
  const removeSession = db.prepare("DELETE FROM admin_sessions WHERE hash = ?");
  const insertEntry = db.prepare(
    "INSERT INTO audit (at, org, who, what, about) VALUES (@at, @org, @who, @what, @about)",
  );
  const entries = "SELECT at, org, who, what, about FROM audit";
  const allEntries = db.prepare<[number], AuditEntry>(`${entries} ORDER BY id DESC LIMIT ?`);
  const entriesOf = db.prepare<[string, number], AuditEntry>(
    `${entries} WHERE org = ? ORDER BY id DESC LIMIT ?`,
  );

  const look = (hash: string, now: number): OpenedAdminLink => openedLinkOf(oneLink.get(hash), now);
  const redeem = transaction(db, ({ hash, now, session }: RedeemRequest): OpenedAdminLink => {
    const found = look(hash, now);
    if (found.kind !== "good") return found;
    useLink.run(now, hash);
    forgetSessions.run(now);
    const { org, who } = found.link;
    insertSession.run({ ...session, org, who });
    insertEntry.run({ at: now, org, who, what: "signed in", about: org ?? "every org" });
    return found;
  });

  return {
    openAdminLink: transaction(db, (link: AdminLink): void => {
      forgetLinks.run(link.createdAt - REMEMBERED_MS);
      insertLink.run(link);
    }),
    lookAtAdminLink: look,
    // Looked at first: what strangers send must not cost a write.
    redeemAdminLink: (request: RedeemRequest): OpenedAdminLink => {
      const found = look(request.hash, request.now);
      return found.kind === "good" ? redeem(request) : found;
    },
    adminSession: (hash: string, now: number): AdminSession | null => oneSession.get(hash, now) ?? null,
    endAdminSession: transaction(db, (hash: string): void => {
      removeSession.run(hash);
    }),
    audit: transaction(db, ({ at, org, who, what, about }: AuditEntry): void => {
      insertEntry.run({ at, org, who, what, about });
    }),
    audited: (org: string | null, limit: number): AuditEntry[] =>
      org === null ? allEntries.all(limit) : entriesOf.all(org, limit),
  };
}
