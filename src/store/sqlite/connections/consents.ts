import type { ConnectionName } from "../../../core/connection.ts";
import type { Consent, TakenConsent } from "../../../core/consent.ts";
import { isRunning, type ProcessIdentity } from "../../../shared/process-identity.ts";
import type { ConsentEnd, Overview, TakeRequest } from "../../contract/store.ts";
import { type ConsentRow, consentOf } from "../../rows/consents.ts";
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
    INSERT INTO consents (hash, org, vendor, environment, seal, redirect_uri, account_id, allows_other_account, allows_cross_region, created_at, expires_at, begun_by, return_to)
    VALUES (@hash, @org, @vendor, @environment, @seal, @redirectUri, @accountId, @allowsOtherAccount, @allowsCrossRegion, @createdAt, @expiresAt, @begunBy, @returnTo)`);
  const one = db.prepare<[string, string], Row>("SELECT * FROM consents WHERE hash = ? AND vendor = ?");
  const take = db.prepare("UPDATE consents SET used_at = ?, holder = ? WHERE hash = ?");
  // Whoever lost the link meanwhile, to another process or a newer link, changes nothing any more.
  const end = db.prepare(`
    UPDATE consents SET outcome = @outcome, used_at = @usedAt, holder = NULL,
      refused_at = iif(@refusal IS NULL, refused_at, @now), refusal = coalesce(@refusal, refusal)
    WHERE hash = @hash AND holder = @holder AND outcome IS NULL`);
  const voidOpen = db.prepare(`
    UPDATE consents SET outcome = 'voided', used_at = coalesce(used_at, @now), holder = NULL
    WHERE org = @org AND vendor = @vendor AND environment = @environment AND outcome IS NULL AND expires_at > @now`);
  const voidConsents = ({ org, vendor, environment }: ConnectionName, now: number): number =>
    voidOpen.run({ org, vendor, environment, now }).changes;

  const openConsent = (consent: Consent): void => {
    forget.run(consent.createdAt - REMEMBERED_MS);
    voidConsents(consent, consent.createdAt);
    const { allowsOtherAccount, allowsCrossRegion, begun, ...rest } = consent;
    insert.run({
      ...rest,
      begunBy: begun?.by ?? null,
      returnTo: begun?.returnTo ?? null,
      allowsOtherAccount: Number(allowsOtherAccount),
      allowsCrossRegion: Number(allowsCrossRegion),
    });
  };
  const standing = (hash: string, vendor: string, now: number): TakenConsent => {
    const row = one.get(hash, vendor);
    if (!row) return { kind: "unknown" };
    if (row.outcome !== null) return { kind: row.outcome === "connected" ? "used" : "voided" };
    if (row.expires_at <= now) return { kind: "expired" };
    return isHeld(row, now) ? { kind: "busy" } : { kind: "taken", consent: consentOf(row) };
  };
  const heldByUs = (hash: string, vendor: string): TakenConsent => {
    const row = one.get(hash, vendor);
    const isOurs = row?.outcome === null && row.holder === holder;
    return isOurs ? { kind: "taken", consent: consentOf(row) } : { kind: "voided" };
  };
  const takeOpen = transaction(db, (hash: string, vendor: string, now: number): TakenConsent => {
    const found = standing(hash, vendor, now);
    if (found.kind === "taken") take.run(now, holder, hash);
    return found;
  });

  return {
    openConsent: transaction(db, openConsent),
    // Looked at first: what strangers send must not cost a write.
    takeConsent: ({ hash, vendor, now, how }: TakeRequest): TakenConsent => {
      if (how === "again") return heldByUs(hash, vendor);
      const found = standing(hash, vendor, now);
      return found.kind === "taken" && how !== "look" ? takeOpen(hash, vendor, now) : found;
    },
    endConsents: transaction(db, (request: ConsentEnd, now: number): number => {
      if (request.outcome === "voided") return voidConsents(request.connection, now);
      const { hash, outcome } = request;
      const isOver = outcome === "connected";
      const left = isOver ? { outcome, usedAt: now } : { outcome: null, usedAt: null };
      const refusal = request.outcome === "open" ? request.refusal : null;
      return end.run({ hash, holder, ...left, refusal, now }).changes;
    }),
  };
}

/** Those of an org, or of all, that may still be answered. */
export function createOpenConsents(db: Db): (org: string | null, now: number) => Overview["consents"] {
  const columns =
    "SELECT org, vendor, environment, expires_at AS expiresAt, refused_at AS refusedAt, refusal FROM consents";
  const open = "outcome IS NULL AND expires_at > ? ORDER BY org, vendor, environment";
  const all = db.prepare<[number], Overview["consents"][number]>(`${columns} WHERE ${open}`);
  const ofOrg = db.prepare<[string, number], Overview["consents"][number]>(
    `${columns} WHERE org = ? AND ${open}`,
  );
  return (org, now) => (org === null ? all.all(now) : ofOrg.all(org, now));
}

type Row = ConsentRow & {
  /** The process that redeems it, as JSON. */
  holder: string | null;
};

function isHeld({ holder, used_at: takenAt }: Row, now: number): boolean {
  if (holder === null || takenAt === null || Math.abs(now - takenAt) > LONGEST_HOLD_MS) return false;
  return isRunning(JSON.parse(holder));
}
