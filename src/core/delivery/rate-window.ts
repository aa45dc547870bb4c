import type { Connection } from "../connection.ts";

/** So many calls in any window of that length. */
export interface RateLimit {
  calls: number;
  windowMs: number;
}

/** So many calls within so long, counted by all who name this key. */
export interface RateWindow {
  key: string;
  calls: number;
  windowMs: number;
  /** A slot that is free so soon is taken now, and its call waits for it. */
  aheadMs: number;
  /** Slots lie so far from each other at least, whoever takes them: two processes at once must not fill a window twice as fast. */
  gapMs: number;
}

export const MARGIN = 0.01;

export const LEAST_MARGIN_MS = 100;

/**
 * A batch is claimed and its call made ready while it waits for its slot, or each window would begin a little later
 * than it may. Longer would only make what is sent older.
 */
export const AHEAD_MS = 100;

/** All of a window's calls in one moment would queue at the vendor, and later ones might overtake them. */
export const GAP_MS = 4;

export const windowOf = ({ windowMs }: RateLimit) => windowMs + Math.max(windowMs * MARGIN, LEAST_MARGIN_MS);

/** The window of the account behind a connection, as all processes count in it; null where the vendor has no limit. */
export function windowFor(
  { vendor, rateLimit }: { vendor: string; rateLimit: RateLimit | null },
  { account }: Pick<Connection, "account">,
): RateWindow | null {
  return rateLimit && account ? windowNamed(`${vendor}/${account.id}`, rateLimit) : null;
}

/** The window of all who name that key. */
export function windowNamed(key: string, rateLimit: RateLimit): RateWindow {
  return {
    key,
    calls: rateLimit.calls,
    windowMs: windowOf(rateLimit),
    aheadMs: AHEAD_MS,
    gapMs: GAP_MS,
  };
}

/** Calls so far apart never fill the window. */
export function spacingMs(limit: RateLimit): number {
  return windowOf(limit) / limit.calls;
}
