import { APART_MS, type RateLimit, windowOf } from "../../core/delivery/rate-window.ts";
import type { Clock } from "../../shared/clock.ts";

export interface PacedCall {
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
export const FIRST_CALLS_MS = 2_000;

export const SHORT_WINDOW_MS = 5_000;

/** A call that took longer than the quickest is believed to have come so much later, up to this. */
export const MOST_LATE_MS = 500;

/**
 * Places are a window apart; the calls that go with them may be so much closer. Else one that went a little late would
 * delay the call in its place a window later, and that one the next, and nobody would ever catch up.
 */
export const GRACE_MS = 10;

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
