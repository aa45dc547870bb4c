import type { Self, Sql, Tx } from "../../../postgres/sql.ts";

/** The net for a holder that lives and does nothing. Our own have none: whoever ends lets them go. */
const LONGEST_LEASE_MS = 15 * 60_000;
/** Whoever took something has heard of it by then, or never will. */
const HEARD_WITHIN_MS = 60_000;

export interface Leases {
  /**
   * Takes these pushes under a new lease, as the transaction's last statement. Where its answer is lost on the way nobody knows
   * whether they are taken; if they are, they are freed a minute later.
   */
  take(tx: Tx, pushIds: readonly number[]): Promise<number>;
  /** In memory alone, so that a database that is away is no hindrance: the next look frees them. */
  letGo(ids: readonly number[]): void;
  /** Is any held whose holder is gone? */
  isAnyLost(sql: Sql): Promise<boolean>;
  /** Makes claimable again what the lost leases hold. */
  freeLost(tx: Sql): Promise<void>;
}

/** A lease names the process that holds it, whose session tells whether it lives. */
export function createLeases(self: Self): Leases {
  const letGo = new Set<number>();
  /** Pushes that we may have taken without knowing it, and have not taken since. */
  const unheard = new Set<number>();
  const isLost = `(l.id = ANY ($2::bigint[]) OR (l.holder <> $1
    AND (l.claimed_at <= jc.now_ms() - ${LONGEST_LEASE_MS} OR l.holder NOT IN (SELECT * FROM jc.live_holders())))
    OR (l.holder = $1 AND l.claimed_at <= jc.now_ms() - ${HEARD_WITHIN_MS}
      AND l.id IN (SELECT lease FROM jc.pushes WHERE id = ANY ($3::bigint[]))))`;
  return {
    take: async (tx, pushIds) => {
      const taken = tx.last<{ id: number }>(
        `WITH lease AS (INSERT INTO jc.leases (holder, claimed_at) VALUES ($1, jc.now_ms()) RETURNING id),
          taken AS (UPDATE jc.pushes SET lease = (SELECT id FROM lease), moved_at = NULL WHERE id = ANY ($2::bigint[]))
          SELECT id FROM lease`,
        [self(), pushIds],
      );
      // That they can be taken now shows that they were not before.
      for (const id of pushIds) unheard.delete(id);
      const row = await taken.catch((error: unknown) => {
        for (const id of pushIds) unheard.add(id);
        throw error;
      });
      if (!row) throw new Error("a lease vanished while it was written");
      return row.id;
    },
    letGo: (ids) => {
      for (const id of ids) letGo.add(id);
    },
    isAnyLost: async (sql) =>
      (await sql.get(`SELECT 1 FROM jc.leases l WHERE ${isLost} LIMIT 1`, [
        self(),
        [...letGo],
        [...unheard],
      ])) !== undefined,
    freeLost: async (tx) => {
      const given = [...letGo];
      await tx.run(
        `WITH lost AS (DELETE FROM jc.leases l WHERE ${isLost} RETURNING id)
          UPDATE jc.pushes p SET lease = NULL FROM lost WHERE p.lease = lost.id`,
        [self(), given, [...unheard]],
      );
      for (const id of given) letGo.delete(id);
    },
  };
}
