import type { TableStep, TableStepped } from "../../rows/retention.ts";
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

/** In a statement with `@cutoff` and `@ofOrgs`. */
export const cutoffIn = (org: string) =>
  `coalesce((SELECT value FROM json_each(@ofOrgs) WHERE key = ${org}), @cutoff)`;
