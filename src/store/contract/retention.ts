/** Forgetting what has been kept for long enough. */
export interface RetentionVerbs {
  /**
   * One short step of forgetting what is older than its org keeps it: an invite with its events that nothing was heard of
   * since, the attempts and the pushes that are settled, and what else has an end. What is pending or held stays, with its
   * invites. Of each invite a tombstone stays, and `append` takes an event that is no newer for known. Give `next` as
   * `after` for the next step; null at the end. Cut short, or repeated, it harms nothing.
   */
  purge(request: PurgeRequest): Promise<PurgeStep>;
}

export interface PurgeRequest {
  now: number;
  /** How many days an org keeps what it has; `keepDaysOf` where it is another number. */
  keepDays: number;
  keepDaysOf: Readonly<Record<string, number>>;
  after: string | null;
  /** Counts what would go, and changes nothing. */
  isDry: boolean;
}

export interface PurgeStep {
  removed: PurgeCounts;
  next: string | null;
}

/** Rows. `rejected`: those among the pushes that a vendor had refused, and never took. */
export interface PurgeCounts {
  invites: number;
  events: number;
  pushes: number;
  rejected: number;
  attempts: number;
  /** Of tables that grow beside these. */
  others: number;
}
