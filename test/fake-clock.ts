import type { Clock } from "../src/shared/clock.ts";

/** A clock that stands still until a test moves it; sleepers wake in order as time passes over them. */
export interface FakeClock extends Clock {
  /** Moves time by `ms`, stopping at every sleeper on the way and letting what it does settle. */
  advance(ms: number): Promise<void>;
  /** Sets the time without waking anyone: a while passed, or a clock was set back. */
  jump(at: number): void;
  /** How many are asleep. */
  sleepers(): number;
}

/** `isBusy`: whether something is asked for that takes real time; time stands still meanwhile. */
export function fakeClock(
  startAt = Date.UTC(2026, 10, 22, 12),
  isBusy: () => boolean = () => false,
): FakeClock {
  let now = startAt;
  let passed = 0;
  const asleep = new Set<{ wakeAt: number; wake: () => void }>();
  const pass = (at: number) => {
    passed += Math.max(0, at - now);
    now = Math.max(now, at);
  };
  /** Lets promises and real I/O on loopback run before time moves on. */
  const settle = async () => {
    do await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
    while (isBusy());
  };
  return {
    now: () => now,
    monotonic: () => passed,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const sleeper = { wakeAt: now + ms, wake: () => {} };
        const stop = () => {
          asleep.delete(sleeper);
          reject(signal?.reason);
        };
        sleeper.wake = () => {
          asleep.delete(sleeper);
          signal?.removeEventListener("abort", stop);
          resolve();
        };
        signal?.addEventListener("abort", stop, { once: true });
        asleep.add(sleeper);
      }),
    advance: async (ms) => {
      const until = now + ms;
      for (;;) {
        await settle();
        const next = [...asleep].filter((s) => s.wakeAt <= until).sort((a, b) => a.wakeAt - b.wakeAt)[0];
        if (!next) break;
        pass(next.wakeAt);
        next.wake();
      }
      pass(until);
      await settle();
    },
    jump: (at) => {
      pass(at);
      now = at;
    },
    sleepers: () => asleep.size,
  };
}

/** The same for calls that go one after the other: what would wait for less than 100 ms lets that time pass at once. */
export function withoutShortWaits(clock: FakeClock): FakeClock {
  return {
    ...clock,
    sleep: async (ms, signal) => {
      if (ms >= 100) return await clock.sleep(ms, signal);
      signal?.throwIfAborted();
      // Whoever waits for a time would else wait for it again, for ever.
      clock.jump(clock.now() + ms);
    },
  };
}
