import { hrtime } from "node:process";

/** Time as a parameter: the program's one way to read it and to wait. Tests move it by hand. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds that only go forward, whatever becomes of the date; one count for all processes until the machine restarts. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => Math.floor(Number(hrtime.bigint()) / 1_000_000),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      }, ms);
      const stop = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", stop, { once: true });
    }),
};

export interface FollowingClock extends Clock {
  /** Another clock said `at`, between two moments of `monotonic()`. */
  follow(at: number, asked: number, answered: number): void;
}

/** A clock that tells another's time, once it was heard of; between two answers time goes on evenly, whatever becomes of this machine's date. */
export function followingClock(of: Clock): FollowingClock {
  let ahead: number | null = null;
  return {
    ...of,
    now: () => (ahead === null ? of.now() : Math.floor(of.monotonic() + ahead)),
    follow: (at, asked, answered) => {
      const measured = at - (asked + answered) / 2;
      // Within what the way there and back leaves open, it stays as it is.
      if (ahead === null || Math.abs(measured - ahead) > (answered - asked) / 2 + 1) ahead = measured;
    },
  };
}

/** ISO 8601 in UTC with milliseconds, as every output prints points in time. */
export function isoTime(at: number): string {
  return new Date(at).toISOString();
}
