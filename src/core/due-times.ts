/** When what happens at set times is due, as pure functions of the time; points in time are ms since the epoch. */
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

export interface DueTimes {
  /** The newest due time at or before `now`. */
  last(now: number): number;
  /** The first one after `now`. */
  next(now: number): number;
  /** Each due time counts once ever; else what is done at one is as good as what was missed at those before. */
  once: boolean;
}

/** On the multiples of `everyMs` since the epoch. */
export function everyDue(everyMs: number): DueTimes {
  return { ...periodic(everyMs, 0), once: false };
}

/** Each day so many minutes after midnight UTC, where every day has 24 hours. */
export function dailyDue(minutes: number): DueTimes {
  return { ...periodic(DAY_MS, minutes * MINUTE_MS), once: true };
}

function periodic(everyMs: number, offsetMs: number): Omit<DueTimes, "once"> {
  const last = (now: number) => Math.floor((now - offsetMs) / everyMs) * everyMs + offsetMs;
  return { last, next: (now) => last(now) + everyMs };
}
