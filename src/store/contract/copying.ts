/** A log that is carried from one store into another, row by row. */

/** What a row holds in a column. */
export type Held = string | number | Uint8Array | null;
export type Row = readonly Held[];

export interface CopiedTable {
  name: string;
  /** Rows are read in its order; no two have the same. */
  key: readonly string[];
  /** All columns, in the order in which rows have them. */
  columns: readonly string[];
  /** What these columns hold in the copy instead: who holds something, and since when, is of this machine's processes. */
  instead: Readonly<Record<string, number | null>>;
}

/** What is kept beside the rows: counts by name, org and state, and the numbers given last, by table. */
export interface Totals {
  counters: Readonly<Record<string, number>>;
  invites: Readonly<Record<string, number>>;
  pushes: Readonly<Record<string, number>>;
  /** The newest version that any invite or push has. */
  version: number;
  lastNumbers: Readonly<Record<string, number>>;
}

/** The log that is copied. While it is open nobody writes to it. */
export interface CopySource {
  /** Of the log, whatever file it is in. */
  id: string;
  /** Where it is, for people. */
  place: string;
  /** Another one as soon as anything was written to the log. */
  state: string;
  /** How many rows each table has. */
  counts(): Readonly<Record<string, number>>;
  /** The rows after that key, up to some MB of them; none at the end. */
  page(table: CopiedTable, after: Row | null): Row[];
  totals(): Totals;
  /** Where its rows were copied to before; null where it is in use. */
  markedTo: string | null;
  /** From now on whoever would write to it hears where its rows are. */
  mark(to: string): void;
  close(): void;
}

/** `new`: nothing was there. `resumed`: what was copied before stays. `anew`: it is thrown away. `whole`: nothing is left to do. */
export type CopyStanding = "new" | "resumed" | "anew" | "whole";

/** The database that is copied to. Between `begin` and `finish` no other process works on what is there. */
export interface CopyTarget {
  /** In an order in which none needs rows of a later one. */
  tables: readonly CopiedTable[];
  /** Throws `USAGE` where another log is there, or this one is elsewhere, and `STORE_UNAVAILABLE` where it is in use. */
  begin(source: Pick<CopySource, "id" | "place" | "state" | "markedTo">): Promise<CopyStanding>;
  /** How many rows of a table are there, and the key of the last. */
  reached(table: CopiedTable): Promise<{ rows: number; last: Row | null }>;
  put(table: CopiedTable, rows: readonly Row[]): Promise<void>;
  /** Rows after that key, as `asHeld` makes them of the source's. */
  page(table: CopiedTable, after: Row | null, limit: number): Promise<Row[]>;
  /** A row as the database holds it. */
  asHeld(table: CopiedTable, row: Row): Row;
  /** Counts, numbers and statistics, once all rows are there. */
  putTotals(totals: Totals): Promise<void>;
  /** As the database itself counts its rows. */
  totals(): Promise<Pick<Totals, "counters" | "invites" | "pushes">>;
  /** Has the next `begin` throw away what is there. */
  spoil(): Promise<void>;
  finish(): Promise<void>;
  close(): Promise<void>;
}
