import type Database from "better-sqlite3";

/** The log's open file, private and durable at every commit, and what is known of it beside SQLite. */
export type Db = Database.Database & DbNotes;

export interface DbNotes {
  guard?: Guard;
  /** For whoever waits less for the lock than a service. */
  longestWaitMs?: number;
  /** Another process was found to hold the lock. */
  isLockedOut?: boolean;
}

/** Throws where `db` no longer has the log open. */
export type Guard = (since: "nothing" | "committed") => void;
