/** A sign of life counts for so long: at 90 s others take over, and a call under way needs its time. */
const COUNTS_MS = 60_000;

/** One moment by all clocks that may tell of a pause: a sleeping machine's `monotonic` stands still, and its date does not. */
export interface Moment {
  monotonic: number;
  date: number;
}

/** What this process knows of being among those that can hold something. */
export interface Tenure {
  isHolding(lease: number): boolean;
  /**
   * The database has taken a sign of life that was sent at `sent`, at `at` by its own time. After a pause `newestLease` is asked
   * for, since what was claimed before may have been given to others: up to that one it is ours no more.
   */
  confirm(sent: Moment, at: number, newestLease: () => Promise<number>): Promise<void>;
  /** Its session is lost, and what it holds may be taken at once. */
  end(): void;
}

export function createTenure(now: () => Moment): Tenure {
  let last: { sent: Moment; at: number } | null = null;
  let lostUpTo = Number.POSITIVE_INFINITY;
  const isRecent = (before: Moment, moment: Moment) =>
    moment.monotonic - before.monotonic < COUNTS_MS && moment.date - before.date < COUNTS_MS;
  return {
    isHolding: (lease) => last !== null && isRecent(last.sent, now()) && lease > lostUpTo,
    confirm: async (sent, at, newestLease) => {
      if (last === null || !isRecent(last.sent, sent) || at - last.at >= COUNTS_MS) {
        last = null;
        lostUpTo = await newestLease();
      }
      last = { sent, at };
    },
    end: () => {
      last = null;
    },
  };
}
