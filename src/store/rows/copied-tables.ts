import type { CopiedTable } from "../contract/copying.ts";

/** A call that stands in a time to come counts from when it is looked at: clocks of two machines are not compared. */
const FROM_NOW = 1e15;

/**
 * Every table whose rows are copied between stores, each behind those whose rows it names. `test/store/copying.test.ts` wants
 * each table of each store here or in one of the lists below.
 */
export const COPIED_TABLES: readonly (Pick<CopiedTable, "name" | "key"> & Partial<CopiedTable>)[] = [
  { name: "invites", key: ["id"] },
  { name: "events", key: ["seq"] },
  { name: "connections", key: ["id"] },
  { name: "marks", key: ["connection_id", "name"] },
  { name: "runs", key: ["id"] },
  { name: "pushes", key: ["id"], instead: { lease: null } },
  { name: "attempts", key: ["id"] },
  { name: "gone_counts", key: ["connection_id"] },
  { name: "confirmations", key: ["seq"] },
  { name: "questions", key: ["seq"] },
  { name: "catalog", key: ["org", "vendor", "environment", "job_id", "stage"] },
  { name: "invite_requests", key: ["id"] },
  { name: "request_attempts", key: ["id"] },
  { name: "trials", key: ["org", "vendor", "candidate_id"] },
  { name: "sources", key: ["source"] },
  { name: "refusals", key: ["source", "minute", "reason"] },
  { name: "calls", key: ["id"], instead: { holder: null, since: FROM_NOW } },
  { name: "call_limits", key: ["key"] },
  { name: "ticks", key: ["job", "due_at"], instead: { holder: null } },
  { name: "consents", key: ["hash"], instead: { holder: null } },
  { name: "alerts", key: ["id"] },
  { name: "forgotten", key: ["org", "contact"] },
  { name: "tombstones", key: ["invite"] },
  { name: "purges", key: ["org", "day", "what"] },
  { name: "erasures", key: ["mark"] },
  { name: "admin_links", key: ["hash"] },
  { name: "admin_sessions", key: ["hash"] },
  { name: "audit", key: ["id"] },
];

/** What both stores have beside them, and what becomes of it. */
export const NOT_COPIED: Readonly<Record<string, string>> = {
  log_file: "which log it is: its id goes along",
  leases:
    "of processes that are gone: what they had claimed is free in the copy; numbers go on behind theirs",
  services: "of processes that are gone",
  write_trials: "emptied at once",
};

/** SQLite's alone. */
export const NOT_COPIED_FROM_SQLITE: Readonly<Record<string, string>> = {
  counters: "put as changes of counters; `version` as a sequence",
  invite_counts: "counted by the database, and compared",
  push_counts: "counted by the database, and compared",
};

/** PostgreSQL's alone. */
export const NOT_COPIED_TO_POSTGRES: Readonly<Record<string, string>> = {
  schema_version: "of migrations",
  clock_offset: "of tests",
  holders: "of processes",
  counter_changes: "made of SQLite's counters",
  invite_count_changes: "made by a trigger",
  push_count_changes: "made by a trigger",
};

/** A counter that the database keeps by a trigger of its own. */
export const COUNTED_BY_TRIGGER = "unmatched";
