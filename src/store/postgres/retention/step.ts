import { dayOf, type TableStep, type TableStepped } from "../../rows/retention.ts";
import type { Sql } from "../../../postgres/sql.ts";

/** A step over one table: short, and within a write transaction that keeps out all others, unless it is dry. */
export type PurgeTable = (tx: Sql, step: TableStep) => Promise<TableStepped>;

/** In a statement whose `$1` is `ofOrgs` and whose `$2` is `cutoff`. */
export const cutoffIn = (org: string) => `coalesce(($1::jsonb ->> ${org})::bigint, $2::bigint)`;

/** Counts by org and day what is gone, so that people hear of it. */
export async function noteRemoved(
  tx: Sql,
  { org, what, n, now }: { org: string; what: "invites" | "rejected"; n: number; now: number },
): Promise<void> {
  if (n === 0) return;
  await tx.run(
    `INSERT INTO jc.purges AS p (org, day, what, n) VALUES ($1, $2, $3, $4)
      ON CONFLICT (org, day, what) DO UPDATE SET n = p.n + excluded.n`,
    [org, dayOf(now), what, n],
  );
}
