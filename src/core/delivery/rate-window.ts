/** A vendor's rolling window, counted so that no network can overrun it. Pure. Times are ms of the monotonic clock. */
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
}

/** One call's room in the window. */
export interface CountedSlot {
  /** No answer yet, as far as anybody knows. */
  isOpen: boolean;
  /** Until it is answered: from when on its call may go. Then: when it was answered. */
  since: number;
}

/** A slot for a call that has not gone yet. */
export interface TakenSlot {
  id: number;
  /** From when on the call may go. */
  at: number;
}

export interface SlotDecision<Slot> {
  /** When the call may go; where the slot is not taken, when one may be free at the earliest. */
  at: number;
  isTaken: boolean;
  /** What still counts beside the call itself. */
  kept: Slot[];
}

/** Two clocks differ in speed, by 500 ppm where one is being corrected, and each is read in whole ms. */
const MARGIN = 0.0005;
const LEAST_MARGIN_MS = 1;

/**
 * A batch is claimed and its call made ready while it waits for its slot, or each window would begin a little later
 * than it may. Longer would only make what is sent older.
 */
export const AHEAD_MS = 100;

/** A call without an answer ends by its timeout, far sooner; what nobody ended counts no longer than this. */
export const LONGEST_CALL_MS = 5 * 60_000;

export const windowOf = ({ windowMs }: RateLimit) =>
  Math.ceil(windowMs + windowMs * MARGIN + LEAST_MARGIN_MS);

/** The window of the account behind a connection, as all processes count in it; null where the vendor has no limit. */
export function windowFor(
  { vendor, rateLimit }: { vendor: string; rateLimit: RateLimit | null },
  { account }: Pick<Connection, "account">,
): RateWindow | null {
  return rateLimit && account ? windowNamed(`${vendor}/${account.id}`, rateLimit) : null;
}

/** The window of all who name that key. */
export function windowNamed(key: string, rateLimit: RateLimit): RateWindow {
  return { key, calls: rateLimit.calls, windowMs: windowOf(rateLimit), aheadMs: AHEAD_MS };
}

/** Most calls at once, counted as a window too: a place is free so soon after its call was answered, and not before. */
export function placesNamed(key: string, calls: number): RateWindow {
  return { key, calls, windowMs: PLACE_MS, aheadMs: 0 };
}

const PLACE_MS = 10;

/** Calls so far apart never fill the window. */
export function spacingMs(limit: RateLimit): number {
  return windowOf(limit) / limit.calls;
}

/**
 * Takes a slot where one is free, or will be within `aheadMs`. A call reaches the vendor somewhere between its going and
 * its answer; so a slot is free one window after the answer of the call in it, and never are more calls than slots in
 * any window at the vendor, whatever the network does.
 */
export function takeSlot<Slot extends CountedSlot>(
  slots: readonly Slot[],
  { calls, windowMs, aheadMs }: Omit<RateWindow, "key">,
  now: number,
): SlotDecision<Slot> {
  // Answered this moment, an open one would be free one window from now: no sooner, whenever its answer comes.
  const freeAt = ({ isOpen, since }: Slot) => (isOpen ? now : since) + windowMs;
  const kept = slots
    .map((slot) => ofThisBoot(slot, now))
    .filter(({ isOpen, since }) => since + windowMs + (isOpen ? LONGEST_CALL_MS : 0) > now)
    .toSorted((a, b) => freeAt(a) - freeAt(b));
  // Where the limit was lowered, more than the first must leave before.
  const leaving = kept[kept.length - Math.max(1, calls)];
  if (!leaving) return { at: now, isTaken: true, kept };
  const at = freeAt(leaving);
  const isTaken = at <= now + aheadMs;
  return { at, isTaken, kept: isTaken ? kept.filter((slot) => slot !== leaving) : kept };
}

/**
 * The clock began anew with the machine: what stands in a time to come counts from now. Not what is ahead by a little:
 * whoever asks may have waited for the store, while others took slots and had answers.
 */
function ofThisBoot<Slot extends CountedSlot>(slot: Slot, now: number): Slot {
  return slot.since > now + LONGEST_CALL_MS ? { ...slot, since: now } : slot;
}
