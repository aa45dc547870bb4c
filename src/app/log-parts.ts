import type { DatabaseLook } from "../store/contract/database-look.ts";
import type { LogLook } from "../store/contract/log-look.ts";
import type { Restoring, Store } from "../store/contract/store.ts";
import type { ThreadedStore } from "../store/contract/threaded.ts";
import type { AcceptedLog } from "../store/sqlite/accept-log.ts";
import type { Compacted } from "../store/sqlite/compact-log.ts";

/** The ways to the log, which is a file of this machine's or lies in a database. What only a file has throws `USAGE` without one. */
export interface LogParts {
  /** The log, in this thread. */
  store(): Promise<Store>;
  /** The same for who only looks; null, and nothing is created, where there is none yet. */
  storeToRead(): Promise<Store | null>;
  /** The log in a thread of its own, for a process that must never wait for the disk and stays up without a log. */
  threadedStore(): Promise<ThreadedStore>;
  /** What is wrong with the log's file, looked for as long as told; null where there is no log. */
  lookAtLog(options: { longestMs: number }): Promise<LogLook | null>;
  /** How the database's server is set up; null where the log is a file. Throws `STORE_UNAVAILABLE`. */
  lookAtDatabase(): Promise<DatabaseLook | null>;
  /** A backup on its way into the log's place. */
  restoring(): Promise<Restoring>;
  /** Makes a new log where there is none, or takes what stands there for the log from now on. */
  acceptLog(options: { isMissed: boolean }): Promise<AcceptedLog>;
  /** Writes the log anew without what is free in it. Throws `STORE_UNAVAILABLE` while a service lives on it. */
  compactLog(): Promise<Compacted>;
}
