import type { Clock } from "../../shared/clock.ts";
import type { Connection } from "../../core/connection.ts";
import type { RateWindow, Store } from "../../store/contract/store.ts";
import type { Destination, RateLimit } from "../../vendors/contract.ts";

/**
 * Places in a vendor's rolling window, shared by all processes on one store. Counted when a call is sent; the
 * window is kept one percent longer than the vendor's, and 100 ms at least, against clocks that differ and calls that
 * overtake.
 */
export interface Slots {
  /** Returns when one more call may be sent. Rejects with the signal's reason. */
  take(signal: AbortSignal): Promise<void>;
  /**
   * What an answer told of the vendor's own limit: it may lower ours, and lift what lowered it, never raise it. Of another
   * window it says nothing.
   */
  heed(told: RateLimit): Promise<void>;
}

const MARGIN = 0.01;
const LEAST_MARGIN_MS = 100;
/**
 * A batch is claimed and its call made ready while it waits for its place, or each window would begin a little later
 * than it may. Longer would only make what is sent older.
 */
const AHEAD_MS = 100;
/** All of a window's calls in one moment would queue at the vendor, and later ones might overtake them. */
const APART_MS = 4;
/** How long a lower limit is believed that the vendor told; told again, it is noted again at half that time. */
const BELIEVED_MS = 10 * 60_000;

const windowOf = ({ windowMs }: RateLimit) => windowMs + Math.max(windowMs * MARGIN, LEAST_MARGIN_MS);

/** The window of the account behind a connection, as all processes count in it; null where the vendor has no limit. */
export function windowFor(
  { vendor, rateLimit }: Pick<Destination, "vendor" | "rateLimit">,
  { account }: Pick<Connection, "account">,
): RateWindow | null {
  if (!rateLimit || !account) return null;
  return {
    key: `${vendor}/${account.id}`,
    calls: rateLimit.calls,
    windowMs: windowOf(rateLimit),
    aheadMs: AHEAD_MS,
    apartMs: APART_MS,
  };
}

/** Calls so far apart never fill the window. */
export function spacingMs(limit: RateLimit): number {
  return windowOf(limit) / limit.calls;
}

export function createSlots(
  { store, clock }: { store: Pick<Store, "takeCall" | "limitCalls">; clock: Clock },
  window: RateWindow,
): Slots {
  const { key } = window;
  let noted: { calls: number | null; at: number } | null = null;
  return {
    take: async (signal) => {
      for (;;) {
        signal.throwIfAborted();
        const now = clock.now();
        const { at, isTaken } = await store.takeCall({ ...window, now });
        const wakeAt = isTaken ? at : at - window.aheadMs;
        if (wakeAt > now) await clock.sleep(wakeAt - now, signal);
        if (isTaken) return;
      }
    },
    heed: async (told) => {
      if (windowOf(told) !== window.windowMs) return;
      const calls = told.calls < window.calls ? told.calls : null;
      const now = clock.now();
      const isKnown = noted?.calls === calls && (calls === null || now - noted.at < BELIEVED_MS / 2);
      if (isKnown) return;
      noted = { calls, at: now };
      await store.limitCalls({ key, calls, until: now + BELIEVED_MS });
    },
  };
}

interface PacedCall {
  sentAt: number;
  /** Until it was answered; null as long as it is not. */
  tookMs: number | null;
}

/** A call that was let go. `arrived`: to be said when it was answered, or failed. */
export interface Departure {
  arrived(): void;
}

/**
 * The first calls reach the vendor late: each waits for its connection's handshake, while those behind it are quick. In
 * so short a window any call may come late by too much. Elsewhere the margin covers it, and a slow vendor shall cost
 * no throughput.
 */
const FIRST_CALLS_MS = 2_000;
const SHORT_WINDOW_MS = 5_000;
/** A call that took longer than the quickest is believed to have come so much later, up to this. */
const MOST_LATE_MS = 500;

/**
 * Places are a window apart; the calls that go with them may be so much closer. Else one that went a little late would
 * delay the call in its place a window later, and that one the next, and nobody would ever catch up.
 */
const GRACE_MS = 10;

/**
 * A place is counted when it is taken, and between then and the call a claim may wait for the disk, one long, another
 * short. So a delivery also keeps its calls apart by the moments in which they really go, and may have come. To be
 * awaited before each.
 */
export function createPace(
  clock: Clock,
  limit: RateLimit | null,
): (signal: AbortSignal) => Promise<Departure> {
  if (!limit) return async () => ({ arrived: () => {} });
  const { calls, windowMs } = limit;
  const marginMs = windowOf(limit) - windowMs;
  let departed: PacedCall[] = [];
  let mayGoAt = 0;
  let firstAt: number | null = null;
  let quickest: number | null = null;
  const mayBeLate = (sentAt: number) =>
    windowMs <= SHORT_WINDOW_MS || sentAt - (firstAt ?? sentAt) < FIRST_CALLS_MS;
  const leavesAt = ({ sentAt, tookMs }: PacedCall, now: number): number => {
    if (!mayBeLate(sentAt)) return sentAt + windowMs + marginMs - GRACE_MS;
    const lateMs = (tookMs ?? now - sentAt) - (quickest ?? 0);
    return sentAt + windowMs + Math.max(marginMs, Math.min(lateMs, MOST_LATE_MS));
  };
  return async (signal) => {
    for (;;) {
      const now = clock.now();
      // Where the clock was set back, the calls of before it count as of now, and nobody waits for times that were.
      const latest = now + calls * APART_MS;
      mayGoAt = Math.min(mayGoAt, latest);
      for (const call of departed) call.sentAt = Math.min(call.sentAt, latest);
      const times = departed.map((call) => leavesAt(call, now));
      departed = departed.filter((_, index) => (times[index] ?? 0) > now);
      if (departed.length < calls) break;
      await clock.sleep(Math.max(1, Math.min(...times.filter((at) => at > now)) - now), signal);
    }
    // Each takes its turn before it waits for it.
    const turn = Math.max(clock.now(), mayGoAt);
    mayGoAt = turn + APART_MS;
    const call: PacedCall = { sentAt: turn, tookMs: null };
    departed.push(call);
    try {
      if (turn > clock.now()) await clock.sleep(turn - clock.now(), signal);
    } catch (error) {
      departed = departed.filter((each) => each !== call);
      throw error;
    }
    call.sentAt = clock.now();
    firstAt ??= call.sentAt;
    return {
      arrived: () => {
        call.tookMs ??= Math.max(0, clock.now() - call.sentAt);
        quickest = Math.min(quickest ?? call.tookMs, call.tookMs);
      },
    };
  };
}
