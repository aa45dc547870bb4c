/** Statements on one connection, or on any of the pool. Values go as `$1`, `$2`, …; nothing is prepared by name, for poolers lose names. */
export interface Sql {
  all<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** The first row; undefined where there is none. */
  get<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row | undefined>;
  /** How many rows it changed. */
  run(text: string, values?: readonly unknown[]): Promise<number>;
}

/** Within one transaction. What is asked for without waiting for the answer before goes with it in one message, in that order. */
export interface Tx extends Sql {
  /** The first row of the transaction's last statement, which goes with its commit in one message; nothing may follow. */
  last<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row | undefined>;
}

/**
 * Whom a write transaction keeps out. `all`: every other one, as SQLite does; for what is rare. Else those that share an org,
 * a connection or a key with it, and those that keep out all.
 */
export type Scope =
  | "all"
  | { orgs?: readonly string[]; connections?: readonly number[]; keys?: readonly string[] };

/** How this machine's monotonic time and the database's, which all machines share, belong together. */
export interface SharedTime {
  /** To be added to a monotonic time, ms. */
  ahead(): number;
  /** What two machines may differ by, ms. */
  slackMs: number;
}

/** Set to `on` within a transaction that has begun and holds its locks, and in no other. */
export const BEGUN = "jc.begun";

/** A database with the log in it. */
export interface Db {
  /** Each statement by itself. */
  read: Sql;
  /**
   * One transaction, durable when it returns: committed, or nothing of it. Its statements see what was committed before each of them.
   * `work` may run again where the database asked for that. `atOnce`: its first statement goes with
   * the transaction's beginning in one message, so it changes nothing, or looks whether `BEGUN` is set.
   */
  write<Result>(
    scope: Scope,
    work: (tx: Tx) => Promise<Result>,
    options?: { atOnce?: boolean },
  ): Promise<Result>;
}

/** Who carries a verb out: its number among the holders. */
export type Self = () => number;
