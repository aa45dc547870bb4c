/** When what happens at set times is due, as pure functions of the time; points in time are ms since the epoch. */
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

export interface DueTimes {
  /** The newest due time at or before `now`. */
  last(now: number): number;
  /** The first one after `now`. */
  next(now: number): number;
  /** Each due time counts once ever; else what is done at one is as good as what was missed at those before. */
  once: boolean;
  /** Does somebody wait for it at that one, which is none of its own times? */
  isWished(at: number): boolean;
}

/** On the multiples of `everyMs` since the epoch. */
export function everyDue(everyMs: number): DueTimes {
  return { ...periodic(everyMs, 0), once: false, isWished: () => false };
}

/** Each day so many minutes after midnight UTC, where every day has 24 hours. */
export function dailyDue(minutes: number): DueTimes {
  return { ...periodic(DAY_MS, minutes * MINUTE_MS), once: true, isWished: () => false };
}

/** The same times, and once more soon after each `hurry`, all of one second together. */
export function hurriedDue(due: DueTimes): { due: DueTimes; hurry(now: number): void } {
  let wishedAt = Number.NEGATIVE_INFINITY;
  let isTaken = true;
  return {
    hurry: (now) => {
      // What was wished for and not begun is the same wish.
      if (!isTaken && wishedAt <= now + SECOND_MS) return;
      wishedAt = (Math.floor(now / SECOND_MS) + 1) * SECOND_MS;
      isTaken = false;
    },
    due: {
      once: due.once,
      isWished: (at) => at === wishedAt,
      last: (now) => {
        if (wishedAt > now) return due.last(now);
        isTaken = true;
        return Math.max(due.last(now), wishedAt);
      },
      next: (now) => (wishedAt > now ? Math.min(due.next(now), wishedAt) : due.next(now)),
    },
  };
}

/**
 * The same times, but for those within a rest: none counts between the one that was begun last and its end. Who rests may be
 * woken, and what was passed over until then stays so.
 */
export function restingDue(due: DueTimes): {
  due: DueTimes;
  rest(now: number, until: number): void;
  wake(now: number): void;
} {
  let from = Number.NEGATIVE_INFINITY;
  let until = Number.NEGATIVE_INFINITY;
  const isPassedOver = (at: number) => at > from && at < until;
  return {
    rest: (now, end) => {
      from = due.last(now);
      until = end;
    },
    wake: (now) => {
      until = Math.min(until, now);
    },
    due: {
      once: due.once,
      isWished: due.isWished,
      last: (now) => {
        const last = due.last(now);
        return isPassedOver(last) ? from : last;
      },
      next: (now) => {
        const next = due.next(now);
        return isPassedOver(next) ? due.next(until - 1) : next;
      },
    },
  };
}

function periodic(everyMs: number, offsetMs: number): Pick<DueTimes, "last" | "next"> {
  const last = (now: number) => Math.floor((now - offsetMs) / everyMs) * everyMs + offsetMs;
  return { last, next: (now) => last(now) + everyMs };
}
