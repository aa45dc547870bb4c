import type { ConnectionName } from "../../../core/connection.ts";
import type { Consent, TakenConsent } from "../../../core/consent.ts";
import { isRunning, type ProcessIdentity } from "../../../shared/process-identity.ts";
import type { Overview } from "../../contract/store.ts";
import type { Db } from "../file/db.ts";
import { transaction } from "../file/transaction.ts";

/** An old link is told from one that never was for as long as this. */
const REMEMBERED_MS = 30 * 24 * 3_600_000;
/** No exchange takes longer; a link held for more was left by one that could not give it back. */
const LONGEST_HOLD_MS = 3 * 60_000;

/** Links for consent. While `outcome` is null a link is open, or held by the process that redeems it. */
export function createConsents(db: Db, self: ProcessIdentity) {
  const holder = JSON.stringify(self);
  const forget = db.prepare("DELETE FROM consents WHERE expires_at < ?");
  const insert = db.prepare(`
    INSERT INTO consents (hash, org, vendor, environment, verifier, redirect_uri, allows_other_account, created_at, expires_at)
    VALUES (@hash, @org, @vendor, @environment, @verifier, @redirectUri, @allowsOtherAccount, @createdAt, @expiresAt)`);
  const one = db.prepare<[string, string], ConsentRow>(
    "SELECT * FROM consents WHERE hash = ? AND vendor = ?",
  );
  const take = db.prepare("UPDATE consents SET used_at = ?, holder = ? WHERE hash = ?");
  const held = db
    .prepare<[string, string], number>(
      "SELECT 1 FROM consents WHERE hash = ? AND holder = ? AND outcome IS NULL",
    )
    .pluck();
  // Whoever lost the link meanwhile, to another process or a newer link, changes nothing any more.
  const end = db.prepare(`
    UPDATE consents SET outcome = @outcome, used_at = @usedAt, holder = NULL
    WHERE hash = @hash AND holder = @holder AND outcome IS NULL`);
  const voidOpen = db.prepare(`
    UPDATE consents SET outcome = 'voided', used_at = coalesce(used_at, @now), holder = NULL
    WHERE org = @org AND vendor = @vendor AND environment = @environment AND outcome IS NULL AND expires_at > @now`);
  const voidConsents = ({ org, vendor, environment }: ConnectionName, now: number): number =>
    voidOpen.run({ org, vendor, environment, now }).changes;

  const openConsent = (consent: Consent): void => {
    forget.run(consent.createdAt - REMEMBERED_MS);
    voidConsents(consent, consent.createdAt);
    insert.run({ ...consent, allowsOtherAccount: Number(consent.allowsOtherAccount) });
  };
  const standing = (hash: string, vendor: string, now: number): TakenConsent => {
    const row = one.get(hash, vendor);
    if (!row) return { kind: "unknown" };
    if (row.outcome !== null) return { kind: row.outcome === "connected" ? "used" : "voided" };
    if (row.expires_at <= now) return { kind: "expired" };
    return isHeld(row, now) ? { kind: "busy" } : { kind: "taken", consent: consentOf(row) };
  };
  const takeOpen = transaction(db, (hash: string, vendor: string, now: number): TakenConsent => {
    const found = standing(hash, vendor, now);
    if (found.kind === "taken") take.run(now, holder, hash);
    return found;
  });

  return {
    openConsent: transaction(db, openConsent),
    // Looked at first: what strangers send must not cost a write.
    takeConsent: ({ hash, vendor, now }: { hash: string; vendor: string; now: number }): TakenConsent => {
      const found = standing(hash, vendor, now);
      return found.kind === "taken" ? takeOpen(hash, vendor, now) : found;
    },
    holdsConsent: (hash: string): boolean => held.get(hash, holder) !== undefined,
    endConsent: transaction(db, (hash: string, outcome: "connected" | "open", now: number): void => {
      const isOver = outcome === "connected";
      end.run({ hash, holder, outcome: isOver ? outcome : null, usedAt: isOver ? now : null });
    }),
    voidConsents: transaction(db, voidConsents),
  };
}

/** Those of an org that may still be answered. */
export function createOpenConsents(db: Db): (org: string, now: number) => Overview["consents"] {
  const open = db.prepare<[string, number], Overview["consents"][number]>(`
    SELECT vendor, environment, expires_at AS expiresAt FROM consents
    WHERE org = ? AND outcome IS NULL AND expires_at > ? ORDER BY vendor, environment`);
  return (org, now) => open.all(org, now);
}

interface ConsentRow {
  hash: string;
  org: string;
  vendor: string;
  environment: Consent["environment"];
  verifier: string;
  redirect_uri: string;
  allows_other_account: number;
  created_at: number;
  expires_at: number;
  used_at: number | null;
  /** The process that redeems it, as JSON. */
  holder: string | null;
  outcome: "connected" | "voided" | null;
}

function isHeld({ holder, used_at: takenAt }: ConsentRow, now: number): boolean {
  if (holder === null || takenAt === null || Math.abs(now - takenAt) > LONGEST_HOLD_MS) return false;
  return isRunning(JSON.parse(holder));
}

function consentOf(row: ConsentRow): Consent {
  return {
    hash: row.hash,
    org: row.org,
    vendor: row.vendor,
    environment: row.environment,
    verifier: row.verifier,
    redirectUri: row.redirect_uri,
    allowsOtherAccount: row.allows_other_account === 1,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  };
}
