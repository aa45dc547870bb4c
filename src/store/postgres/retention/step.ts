import type { PurgeCounts, PurgeRequest } from "../../contract/retention.ts";
import type { Sql } from "../server/sql.ts";

const DAY_MS = 24 * 3_600_000;

/** What is older goes, ms since the epoch. */
export interface Cutoffs {
  now: number;
  cutoffOf(org: string): number;
  /** Of orgs without a number of their own. */
  cutoff: number;
  /** Of all: what is younger stays in any case. */
  youngest: number;
  /** Those of single orgs, as JSON by org. */
  ofOrgs: string;
}

export interface TableStep extends Cutoffs {
  /** Where the step before ended; null for the first. */
  after: string | null;
  isDry: boolean;
}

export interface TableStepped {
  removed: Partial<PurgeCounts>;
  /** Null at the table's end. */
  next: string | null;
}

/** A step over one table: short, and within a write transaction that keeps out all others, unless it is dry. */
export type PurgeTable = (tx: Sql, step: TableStep) => Promise<TableStepped>;

/** In a statement whose `$1` is `ofOrgs` and whose `$2` is `cutoff`. */
export const cutoffIn = (org: string) => `coalesce(($1::jsonb ->> ${org})::bigint, $2::bigint)`;

export function cutoffsOf({
  now,
  keepDays,
  keepDaysOf,
}: Pick<PurgeRequest, "now" | "keepDays" | "keepDaysOf">): Cutoffs {
  const before = (days: number) => now - days * DAY_MS;
  const ofOrgs = new Map(Object.entries(keepDaysOf).map(([org, days]) => [org, before(days)]));
  const cutoff = before(keepDays);
  return {
    now,
    cutoff,
    cutoffOf: (org) => ofOrgs.get(org) ?? cutoff,
    youngest: Math.max(cutoff, ...ofOrgs.values()),
    ofOrgs: JSON.stringify(Object.fromEntries(ofOrgs)),
  };
}

/** Counts by org and day what is gone, so that people hear of it. */
export async function noteRemoved(
  tx: Sql,
  { org, what, n, now }: { org: string; what: "invites" | "rejected"; n: number; now: number },
): Promise<void> {
  if (n === 0) return;
  await tx.run(
    `INSERT INTO jc.purges AS p (org, day, what, n) VALUES ($1, $2, $3, $4)
      ON CONFLICT (org, day, what) DO UPDATE SET n = p.n + excluded.n`,
    [org, Math.floor(now / DAY_MS), what, n],
  );
}
