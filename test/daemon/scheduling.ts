/** What the tests of the scheduler share: processes of one store in a time that they move. */
import { dailyDue } from "../../src/core/due-times.ts";
import { runScheduler, type SchedulerContext } from "../../src/daemon/scheduler.ts";
import { createStoreTrouble, type StoreTrouble } from "../../src/daemon/trouble/store-trouble.ts";
import type { Clock } from "../../src/shared/clock.ts";
import { createLog, type Log } from "../../src/shared/log.ts";
import { createRedactor } from "../../src/shared/redact.ts";
import type { Store } from "../../src/store/contract/store.ts";
import { fakeClock, type FakeClock } from "../fake-clock.ts";

export const MINUTE_MS = 60_000;
export const DAY_MS = 24 * 60 * MINUTE_MS;
/** Six in the morning: the sweep of the day is over. */
export const MORNING = Date.UTC(2026, 0, 1, 6);
export const SWEEP = dailyDue(2 * 60);

export interface Started {
  /** Ends in order, or with what made it end. */
  stop(): Promise<void>;
  ended: Promise<void>;
}

export async function start(
  store: Store,
  clock: FakeClock,
  {
    jobs = [],
    deliver = async () => ({ restUntil: 0 }),
  }: Partial<Pick<SchedulerContext, "jobs" | "deliver">>,
): Promise<Started> {
  const stop = new AbortController();
  const log = createLog({
    write: () => {},
    level: () => "debug",
    format: "text",
    toJournal: false,
    redact: createRedactor(),
    clock,
  });
  const trouble = troubleOf(store, { clock, log });
  const ended = runScheduler(
    { store, clock, random: () => 0.5, log, trouble, jobs, isLeftToOthers: async () => false, deliver },
    stop.signal,
  );
  ended.catch(() => {});
  await clock.advance(0);
  return {
    ended,
    stop: () => {
      stop.abort();
      return ended;
    },
  };
}

/** Of a store that tells no trouble itself. */
export function troubleOf(store: Store, { clock, log }: { clock: Clock; log: Log }): StoreTrouble {
  return createStoreTrouble({ store, clock, log, isToldByStore: () => false, onChange: () => {} });
}

/** A wall clock that people and programs correct, while sleepers wake at the steady pace of its timers. */
export function wallClock(isBusy?: () => boolean): FakeClock {
  const timers = fakeClock(MORNING, isBusy);
  let offset = 0;
  return {
    ...timers,
    now: () => timers.now() + offset,
    jump: (at) => {
      offset = at - timers.now();
    },
  };
}
