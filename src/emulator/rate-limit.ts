/** A rolling window: at most `max` calls in any span of `intervalMs`. */
export interface RateLimit {
  max: number;
  intervalMs: number;
}

export const UNLIMITED: RateLimit = { max: Number.POSITIVE_INFINITY, intervalMs: 0 };

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Reads `100/10s` or `none`; `undefined` for anything else. */
export function parseRateLimit(text: string): RateLimit | undefined {
  if (text === "none") return UNLIMITED;
  const [, max, count, unit] = /^(\d+)\/(\d+)(ms|[smhd])$/.exec(text) ?? [];
  const intervalMs = Number(count) * (UNIT_MS[unit ?? ""] ?? 0);
  return intervalMs > 0 ? { max: Number(max), intervalMs } : undefined;
}

export function formatRateLimit(limit: RateLimit): string {
  return isUnlimited(limit) ? "none" : `${limit.max}/${limit.intervalMs}ms`;
}

export function isUnlimited(limit: RateLimit): boolean {
  return limit.max === Number.POSITIVE_INFINITY;
}

/** When the calls of the running window were admitted, oldest first from `head` on. */
export interface CallTimes {
  times: number[];
  head: number;
}

export function noCalls(): CallTimes {
  return { times: [], head: 0 };
}

/** Admits one call, or refuses it. Calls slide out one by one by their exact times; a refused one is not counted. */
export function admit(
  calls: CallTimes,
  limit: RateLimit,
  now: number,
): { isAdmitted: boolean; remaining: number } {
  if (isUnlimited(limit)) return { isAdmitted: true, remaining: limit.max };
  while ((calls.times[calls.head] ?? now) <= now - limit.intervalMs) calls.head++;
  if (calls.head > 1_000) {
    calls.times.splice(0, calls.head);
    calls.head = 0;
  }
  const free = limit.max - (calls.times.length - calls.head);
  if (free <= 0) return { isAdmitted: false, remaining: 0 };
  calls.times.push(now);
  return { isAdmitted: true, remaining: free - 1 };
}
