import type { Connection, Environment } from "../../core/connection.ts";
import type { HeldCause } from "../../core/push.ts";
import type { PeoplePage } from "./erasure.ts";
import type { ConnectionKey } from "./connections.ts";

/**
 * A backup on its way into the log's place, step by step. The new log is made in a directory of its own beside the old
 * one; what is called `log.db` is either the whole old log, nothing (and everybody says so), or the whole new one. A step
 * that was cut off is done again from the first; the old log's files stay where they were set aside.
 */
export interface Restoring {
  /** Processes that have the log open, in words: with their names where the system tells. */
  holders(): string[];
  /** What the old log is, wherever it is. */
  old(): OldLogStanding;
  /** From now on nobody else opens the log. Throws `STORE_UNAVAILABLE` while another restore lives. */
  begin(backup: string): void;
  /** Makes the new log out of the backup: whole, of this program's version, with an identity of its own copy. */
  stage(backup: string): void;
  /** Where the new log is meanwhile, as a state directory. */
  stagedDir(): string;
  /** Moves the old log's files aside, together. Null where there is none. */
  setAside(): string | null;
  /** What the old log forbids to bring back, into the new one, and what else is copied row by row. Best effort on a damaged one. */
  takeRules(): TakenRows;
  /** Was anybody erased, by what the old log and the backup say? True where one of them cannot say it. */
  mayHaveErased(backup: string): boolean;
  /** Marks of whom the old log knows to be erased, as far as it can be read. */
  erasures(): { mark: string; person: string }[];
  /** Everybody whose name stands in the backup, in pages; null where it is too old to be asked. */
  peopleIn(backup: string): Iterable<PeoplePage["people"]> | null;
  /** Writes the new log anew where people were taken out of it, so that no byte of them is left. */
  vacuum(): void;
  /** How many invites of the backup stay removed, since retention had removed them from the old log. */
  staysRemoved(backup: string): number;
  /** How many attempts of the old log the backup does not hold: they stay there. Null where it cannot be read to its end. */
  attemptsLeft(backup: string): number | null;
  /** Connections as the old log knew them last; none of one that cannot be read. */
  oldConnections(): OldConnection[];
  /** Events of the old log that the backup does not hold, in the order in which they came. */
  missingEvents(known: "in the backup" | "in the new log", backup: string): Iterable<OldEvents>;
  /** Of the old log's pushes: those it still owed and the new one can tell something about, by connection. */
  owed(): { connection: ConnectionKey; subjects: string[] }[];
  /**
   * Marks as delivered what the old log had delivered, where the new one has the same events (`isSame`), and keeps held
   * what waits for a person's decision about one record.
   */
  settleAsBefore(is: { isSame: boolean }): void;
  /** Makes every open push due, and lets go what dead processes held. Returns how many. */
  makeDue(now: number): number;
  /** Puts the new log in its place, and ends what `begin` began. */
  finish(): void;
  /** Takes back all before `setAside`. */
  cancel(): void;
}

/** `damaged`: some of its rows may be readable. `unreadable`: none is. */
export interface OldLogStanding {
  condition: "absent" | "whole" | "damaged" | "unreadable";
  /** Where it was set aside before; null while it stands in its place. */
  aside: string | null;
  /** Why it cannot be read, in words. */
  reason: string | null;
}

export interface TakenRows {
  /** By table. */
  rows: Readonly<Record<string, number>>;
  /** Tables that could not be read to their end. */
  unreadable: readonly string[];
}

export interface OldConnection {
  key: ConnectionKey;
  connection: Connection;
  holdCause: HeldCause | null;
}

export interface OldEvents {
  events: OldEvent[];
  /** Rows that were looked at so far, and rows that could not be read so far. */
  read: number;
  unreadable: number;
  /** False where there may be any number of unreadable ones beside. */
  isCounted: boolean;
}

export interface OldEvent {
  source: string;
  eventId: string;
  /** SHA-256 of the payload, hex. */
  bodyHash: string;
  receivedAt: number;
  payload: string;
  /** Whose secret signed it, where the old log tells. */
  org: string | null;
  environment: Environment;
}
