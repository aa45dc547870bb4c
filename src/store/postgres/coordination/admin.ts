import type { AdminSession, AuditEntry, OpenedAdminLink } from "../../../core/admin.ts";
import type { AdminVerbs, RedeemRequest } from "../../contract/admin.ts";
import { type AdminLinkRow, openedLinkOf } from "../../rows/admin-links.ts";
import type { Db, Sql } from "../../../postgres/sql.ts";

/** One that was used or has ended is told from one that never was for as long as this. */
const REMEMBERED_MS = 24 * 3_600_000;

/** Links and sessions of the admin page, and its audit. */
export function createAdmin(db: Db): AdminVerbs {
  return {
    openAdminLink: ({ hash, org, who, createdAt, expiresAt }) =>
      db.write({ keys: ["admin"] }, async (tx) => {
        await tx.run("DELETE FROM jc.admin_links WHERE expires_at < $1", [createdAt - REMEMBERED_MS]);
        await tx.run(
          "INSERT INTO jc.admin_links (hash, org, who, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
          [hash, org, who, createdAt, expiresAt],
        );
      }),
    lookAtAdminLink: (hash, now) => look(db.read, hash, now),
    // Looked at first: what strangers send must not cost a write.
    redeemAdminLink: async (request) => {
      const found = await look(db.read, request.hash, request.now);
      return found.kind === "good" ? await db.write({ keys: ["admin"] }, (tx) => redeem(tx, request)) : found;
    },
    adminSession: async (hash, now) =>
      (await db.read.get<AdminSession>(
        `SELECT hash, org, who, expires_at AS "expiresAt" FROM jc.admin_sessions WHERE hash = $1 AND expires_at > $2`,
        [hash, now],
      )) ?? null,
    endAdminSession: (hash) =>
      db.write({ keys: ["admin"] }, async (tx) => {
        await tx.run("DELETE FROM jc.admin_sessions WHERE hash = $1", [hash]);
      }),
    audit: (entry) => db.write({ keys: ["admin"] }, (tx) => enter(tx, entry)),
    audited: (org, limit) =>
      db.read.all<AuditEntry>(
        `SELECT at, org, who, what, about FROM jc.audit ${org === null ? "" : "WHERE org = $2"} ORDER BY id DESC LIMIT $1`,
        org === null ? [limit] : [limit, org],
      ),
  };
}

async function look(sql: Sql, hash: string, now: number): Promise<OpenedAdminLink> {
  const found = await sql.get<AdminLinkRow>(
    `SELECT hash, org, who, created_at AS "createdAt", expires_at AS "expiresAt", used_at AS "usedAt"
      FROM jc.admin_links WHERE hash = $1`,
    [hash],
  );
  return openedLinkOf(found, now);
}

async function redeem(tx: Sql, { hash, now, session }: RedeemRequest): Promise<OpenedAdminLink> {
  const found = await look(tx, hash, now);
  if (found.kind !== "good") return found;
  const { org, who } = found.link;
  await tx.run("UPDATE jc.admin_links SET used_at = $1 WHERE hash = $2", [now, hash]);
  await tx.run("DELETE FROM jc.admin_sessions WHERE expires_at <= $1", [now]);
  await tx.run("INSERT INTO jc.admin_sessions (hash, org, who, expires_at) VALUES ($1, $2, $3, $4)", [
    session.hash,
    org,
    who,
    session.expiresAt,
  ]);
  await enter(tx, { at: now, org, who, what: "signed in", about: org ?? "every org" });
  return found;
}

async function enter(tx: Sql, { at, org, who, what, about }: AuditEntry): Promise<void> {
  await tx.run("INSERT INTO jc.audit (at, org, who, what, about) VALUES ($1, $2, $3, $4, $5)", [
    at,
    org,
    who,
    what,
    about,
  ]);
}
