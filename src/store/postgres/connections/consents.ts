import type { ConnectionName } from "../../../core/connection.ts";
import type { TakenConsent } from "../../../core/consent.ts";
import type { ConnectionVerbs } from "../../contract/connections.ts";
import { type ConsentRow, consentOf } from "../../rows/consents.ts";
import type { Db, Self, Sql } from "../../../postgres/sql.ts";

/** An old link is told from one that never was for as long as this. */
const REMEMBERED_MS = 30 * 24 * 3_600_000;
/** No exchange takes longer; a link held for more was left by one that could not give it back. */
const LONGEST_HOLD_MS = 3 * 60_000;

type Row = ConsentRow & { holder: number | null; is_held: boolean };

/** Links for consent. */
export function createConsents(
  db: Db,
  self: Self,
): Pick<ConnectionVerbs, "openConsent" | "takeConsent" | "endConsents"> {
  /** What this process redeems. What else it holds it never heard of, as the answer was lost on the way. */
  const redeemed = new Set<string>();
  const isBusy: IsBusy = (row) => (Number(row.holder) === self() ? redeemed.has(row.hash) : row.is_held);
  const take = async (hash: string, vendor: string, now: number): Promise<TakenConsent> => {
    let isTaken = false;
    try {
      return await db.write("all", async (tx) => {
        const found = standingOf(await rowOf(tx, hash, vendor), now, isBusy);
        if (found.kind !== "taken") return found;
        await tx.run("UPDATE jc.consents SET used_at = $1, holder = $2 WHERE hash = $3", [now, self(), hash]);
        isTaken = true;
        redeemed.add(hash);
        return found;
      });
    } catch (error) {
      if (isTaken) redeemed.delete(hash);
      throw error;
    }
  };
  return {
    openConsent: (consent) =>
      db.write("all", async (tx) => {
        await tx.run("DELETE FROM jc.consents WHERE expires_at < $1", [consent.createdAt - REMEMBERED_MS]);
        await voidOpen(tx, consent, consent.createdAt);
        await tx.run(
          `INSERT INTO jc.consents (hash, org, vendor, environment, seal, redirect_uri, account_id, allows_other_account,
            allows_cross_region, created_at, expires_at, begun_by, return_to)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
          [
            consent.hash,
            consent.org,
            consent.vendor,
            consent.environment,
            consent.seal,
            consent.redirectUri,
            consent.accountId,
            Number(consent.allowsOtherAccount),
            Number(consent.allowsCrossRegion),
            consent.createdAt,
            consent.expiresAt,
            consent.begun?.by ?? null,
            consent.begun?.returnTo ?? null,
          ],
        );
      }),
    // Looked at first: what strangers send must not cost a write.
    takeConsent: async ({ hash, vendor, now, how }) => {
      if (how === "again") return heldBy(await rowOf(db.read, hash, vendor), self());
      const found = standingOf(await rowOf(db.read, hash, vendor), now, isBusy);
      return found.kind !== "taken" || how === "look" ? found : await take(hash, vendor, now);
    },
    endConsents: (end, now) => {
      // It is redeemed no more, though this should not be written down.
      if (end.outcome !== "voided") redeemed.delete(end.hash);
      return db.write("all", async (tx) => {
        if (end.outcome === "voided") return await voidOpen(tx, end.connection, now);
        const isOver = end.outcome === "connected";
        // Whoever lost the link meanwhile, to another process or a newer link, changes nothing any more.
        return await tx.run(
          `UPDATE jc.consents SET outcome = $1, used_at = $2, holder = NULL,
            refused_at = CASE WHEN $3::text IS NULL THEN refused_at ELSE $4 END, refusal = coalesce($3, refusal)
            WHERE hash = $5 AND holder = $6 AND outcome IS NULL`,
          [
            isOver ? "connected" : null,
            isOver ? now : null,
            end.outcome === "open" ? end.refusal : null,
            now,
            end.hash,
            self(),
          ],
        );
      });
    },
  };
}

function voidOpen(tx: Sql, { org, vendor, environment }: ConnectionName, now: number): Promise<number> {
  return tx.run(
    `UPDATE jc.consents SET outcome = 'voided', used_at = coalesce(used_at, $4), holder = NULL
      WHERE org = $1 AND vendor = $2 AND environment = $3 AND outcome IS NULL AND expires_at > $4`,
    [org, vendor, environment, now],
  );
}

function rowOf(sql: Sql, hash: string, vendor: string): Promise<Row | undefined> {
  return sql.get<Row>(
    `SELECT *, coalesce(holder IN (SELECT * FROM jc.live_holders()), false) AS is_held
      FROM jc.consents WHERE hash = $1 AND vendor = $2`,
    [hash, vendor],
  );
}

type IsBusy = (row: Row) => boolean;

function standingOf(row: Row | undefined, now: number, isBusy: IsBusy): TakenConsent {
  if (!row) return { kind: "unknown" };
  if (row.outcome !== null) return { kind: row.outcome === "connected" ? "used" : "voided" };
  if (row.expires_at <= now) return { kind: "expired" };
  const isRecent = row.used_at !== null && Math.abs(now - row.used_at) <= LONGEST_HOLD_MS;
  return isBusy(row) && isRecent ? { kind: "busy" } : { kind: "taken", consent: consentOf(row) };
}

function heldBy(row: Row | undefined, self: number): TakenConsent {
  const isOurs = row?.outcome === null && row.holder === self;
  return isOurs ? { kind: "taken", consent: consentOf(row) } : { kind: "voided" };
}
