/** Work on whole files: copies of the log, finished, looked through and said to be whole or not; and the log written anew. */
export interface BackupFiles {
  /**
   * Makes a copy that `copyTo` wrote a file of its own, which says of itself that it is a copy, and looks through it. It
   * is on disk when this returns. Throws as `check` does.
   */
  finish(copy: string): Promise<CheckedLog>;
  /**
   * Reads all of a file: every page, the counts that it keeps of itself, and its bytes. Throws `STORE_UNAVAILABLE` where
   * it is no log, not whole, or cannot be read, `STORE_TOO_NEW` where a newer program wrote it.
   */
  check(file: string): Promise<CheckedLog>;
  /**
   * Writes the log anew, so that no byte of erased people is left in its files. Whoever writes meanwhile waits. Throws
   * `STORE_UNAVAILABLE` where there is no room for it, or it is held up.
   */
  vacuum(): Promise<void>;
  close(): Promise<void>;
}

export interface CheckedLog {
  /** Of the log that it is a copy of; null in one older than its identity. */
  logId: string | null;
  /** Of its tables. */
  version: number;
  bytes: number;
  /** Of the whole file, hex. */
  sha256: string;
  counts: BackupCounts;
}

/** Rows of each table that must not be lost. */
export type BackupCounts = Readonly<
  Record<"events" | "invites" | "connections" | "pushes" | "attempts", number>
>;
