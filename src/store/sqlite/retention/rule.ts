import type { PurgeCounts } from "../../contract/retention.ts";
import type { Db } from "../file/db.ts";

/** What becomes of a table's rows in time. */
export interface Rule {
  /** In words. */
  rule: string;
  /** Absent where they stay, or go with rows of another table. */
  purge?: (db: Db) => PurgeTable;
}

/** A step over one table: short, and within the caller's write transaction unless it is dry. */
export type PurgeTable = (step: TableStep) => TableStepped;

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

/** In a statement with `@cutoff` and `@ofOrgs`. */
export const cutoffIn = (org: string) =>
  `coalesce((SELECT value FROM json_each(@ofOrgs) WHERE key = ${org}), @cutoff)`;

const DAY_MS = 24 * 3_600_000;

export function cutoffsOf(request: {
  now: number;
  keepDays: number;
  keepDaysOf: Readonly<Record<string, number>>;
}): Cutoffs {
  const { now, keepDays, keepDaysOf } = request;
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

/** Since the epoch, in UTC. */
export function dayOf(now: number): number {
  return Math.floor(now / DAY_MS);
}
