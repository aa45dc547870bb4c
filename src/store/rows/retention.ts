import type { PurgeCounts, PurgeStep } from "../contract/retention.ts";

/** The steps in which rows are forgotten, and what is old. */

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

/** How far the tables, in their order, are gone through. */
export interface Place {
  table: string;
  /** Within the table; null at its beginning. */
  at: string | null;
}

export function placeOf(after: string | null, tables: readonly string[]): Place {
  return after === null ? { table: tables[0] ?? "", at: null } : JSON.parse(after);
}

const NOTHING_REMOVED: PurgeCounts = {
  invites: 0,
  events: 0,
  pushes: 0,
  rejected: 0,
  attempts: 0,
  others: 0,
};

/** The step as its caller hears of it, with the place at which the next one begins. */
export function steppedTo(
  { table }: Place,
  { removed, next }: TableStepped,
  tables: readonly string[],
): PurgeStep {
  const following = next === null ? tables[tables.indexOf(table) + 1] : table;
  return {
    removed: { ...NOTHING_REMOVED, ...removed },
    next: following === undefined ? null : JSON.stringify({ table: following, at: next } satisfies Place),
  };
}
