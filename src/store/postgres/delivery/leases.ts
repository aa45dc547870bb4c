import type { Self, Sql } from "../server/sql.ts";

/** The net for a holder that lives and does nothing. Our own have none: whoever ends lets them go. */
const LONGEST_LEASE_MS = 15 * 60_000;

export interface Leases {
  open(tx: Sql): Promise<number>;
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
  const isLost = `(l.id = ANY ($2::bigint[]) OR (l.holder <> $1
    AND (l.claimed_at <= jc.now_ms() - ${LONGEST_LEASE_MS} OR l.holder NOT IN (SELECT * FROM jc.live_holders()))))`;
  return {
    open: async (tx) => {
      const row = await tx.get<{ id: number }>(
        "INSERT INTO jc.leases (holder, claimed_at) VALUES ($1, jc.now_ms()) RETURNING id",
        [self()],
      );
      if (!row) throw new Error("a lease vanished while it was written");
      return row.id;
    },
    letGo: (ids) => {
      for (const id of ids) letGo.add(id);
    },
    isAnyLost: async (sql) =>
      (await sql.get(`SELECT 1 FROM jc.leases l WHERE ${isLost} LIMIT 1`, [self(), [...letGo]])) !==
      undefined,
    freeLost: async (tx) => {
      const given = [...letGo];
      const rows = await tx.all<{ id: number }>(`DELETE FROM jc.leases l WHERE ${isLost} RETURNING id`, [
        self(),
        given,
      ]);
      if (rows.length > 0)
        await tx.run("UPDATE jc.pushes SET lease = NULL WHERE lease = ANY ($1::bigint[])", [
          rows.map(({ id }) => id),
        ]);
      for (const id of given) letGo.delete(id);
    },
  };
}
