import { GAP_MS, type RateLimit, windowOf } from "../../core/delivery/rate-window.ts";
import type { Clock } from "../../shared/clock.ts";

interface CountedCall {
  sentAt: number;
  /** Until it was answered; null as long as it is not. */
  tookMs: number | null;
}

/** `ended`: to be said when it was answered, or failed. */
export interface CallInFlight {
  ended(): void;
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
 * A call may go so much sooner than a window after the one in its slot of the window before. So a call that went late
 * delays no call of the next window; the store, which counts slots, keeps whole windows.
 */
export const GRACE_MS = 10;

/**
 * The window as one delivery counts it: by the moments in which its calls really go, and may have reached the vendor. The
 * store counts slots when they are taken, and a claim may wait for the disk between its slot and its call. To be
 * awaited before each call.
 */
export function createCallWindow(
  clock: Clock,
  limit: RateLimit | null,
): (signal: AbortSignal) => Promise<CallInFlight> {
  if (!limit) return async () => ({ ended: () => {} });
  const { calls, windowMs } = limit;
  const marginMs = windowOf(limit) - windowMs;
  let sent: CountedCall[] = [];
  let mayGoAt = 0;
  let firstAt: number | null = null;
  let quickest: number | null = null;
  const mayBeLate = (sentAt: number) =>
    windowMs <= SHORT_WINDOW_MS || sentAt - (firstAt ?? sentAt) < FIRST_CALLS_MS;
  const leavesAt = ({ sentAt, tookMs }: CountedCall, now: number): number => {
    if (!mayBeLate(sentAt)) return sentAt + windowMs + marginMs - GRACE_MS;
    const lateMs = (tookMs ?? now - sentAt) - (quickest ?? 0);
    return sentAt + windowMs + Math.max(marginMs, Math.min(lateMs, MOST_LATE_MS));
  };
  return async (signal) => {
    for (;;) {
      const now = clock.now();
      // Where the clock was set back, the calls of before it count as of now, and nobody waits for times that were.
      const latest = now + calls * GAP_MS;
      mayGoAt = Math.min(mayGoAt, latest);
      for (const call of sent) call.sentAt = Math.min(call.sentAt, latest);
      const times = sent.map((call) => leavesAt(call, now));
      sent = sent.filter((_, index) => (times[index] ?? 0) > now);
      if (sent.length < calls) break;
      await clock.sleep(Math.max(1, Math.min(...times.filter((at) => at > now)) - now), signal);
    }
    // The next one counts from this one's time, while this one still waits for it.
    const goAt = Math.max(clock.now(), mayGoAt);
    mayGoAt = goAt + GAP_MS;
    const call: CountedCall = { sentAt: goAt, tookMs: null };
    sent.push(call);
    try {
      if (goAt > clock.now()) await clock.sleep(goAt - clock.now(), signal);
    } catch (error) {
      sent = sent.filter((each) => each !== call);
      throw error;
    }
    call.sentAt = clock.now();
    firstAt ??= call.sentAt;
    return {
      ended: () => {
        call.tookMs ??= Math.max(0, clock.now() - call.sentAt);
        quickest = Math.min(quickest ?? call.tookMs, call.tookMs);
      },
    };
  };
}
