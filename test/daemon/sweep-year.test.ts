/** A year of nights in simulated time, in which two processes on one log run the day's job between them. */
import { join } from "node:path";
import Database from "better-sqlite3";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ScheduledJob } from "../../src/daemon/scheduler.ts";
import type { Clock } from "../../src/shared/clock.ts";
import type { Store } from "../../src/store/contract/store.ts";
import { openPostgresStore } from "../../src/store/postgres/postgres.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { temporaryDirectory } from "../directory.ts";
import { describeInEachPlace } from "../end-to-end/places.ts";
import type { FakeClock } from "../fake-clock.ts";
import { DAY_MS, MINUTE_MS, MORNING, start, SWEEP, wallClock } from "./scheduling.ts";

/** A log that several processes have open. */
interface SharedLog {
  open(clock: Clock): Promise<Store>;
  /** What the kernel tells of those that are gone, without ending this one. */
  forgetKilled(): void;
}

const RUN_MS = 10_000;

function onSqlite(): SharedLog {
  const stateDir = temporaryDirectory();
  return {
    open: (clock) => openSqliteStore({ stateDir, clock }),
    forgetKilled: () => {
      const db = new Database(join(stateDir, "log.db"));
      db.prepare("UPDATE ticks SET holder = json_set(holder, '$.startedAt', 'gone')").run();
      db.close();
    },
  };
}

/** Who is killed lives no longer there than its connection. */
const onPostgres = (url: string): SharedLog => ({
  open: () => openPostgresStore({ url }),
  forgetKilled: () => {},
});

/** What the processes did. */
interface Seen {
  /** The due times of runs that came to their end. */
  done: number[];
  underWay: number;
  mostUnderWay: number;
  /** What is asked of the log right now. */
  asking: number;
}

interface Process {
  isRunning(): boolean;
  kill(): Promise<void>;
  stop(): Promise<void>;
}

async function startProcess(log: SharedLog, clock: FakeClock, seen: Seen): Promise<Process> {
  const store = await log.open(clock);
  let isKilled = false;
  let isRunning = false;
  const stopped = new Promise<never>(() => {});
  const ask = async <T>(question: () => Promise<T>): Promise<T> => {
    if (isKilled) return await stopped;
    seen.asking += 1;
    const answer = await question().finally(() => {
      seen.asking -= 1;
    });
    return isKilled ? await stopped : answer;
  };
  const job: ScheduledJob = {
    name: "sweep",
    due: SWEEP,
    run: async () => {
      const dueAt = SWEEP.last(clock.now());
      isRunning = true;
      seen.underWay += 1;
      seen.mostUnderWay = Math.max(seen.mostUnderWay, seen.underWay);
      await clock.sleep(RUN_MS);
      if (isKilled) return await stopped;
      seen.underWay -= 1;
      isRunning = false;
      seen.done.push(dueAt);
    },
  };
  const asked: Store = {
    ...store,
    dueWork: (now) => ask(() => store.dueWork(now)),
    beginTick: (tick) => ask(() => store.beginTick(tick)),
    endTick: (...args) => ask(() => store.endTick(...args)),
  };
  const scheduler = await start(asked, clock, { jobs: [job] });
  return {
    isRunning: () => isRunning,
    kill: async () => {
      isKilled = true;
      if (isRunning) seen.underWay -= 1;
      await store.close();
      log.forgetKilled();
    },
    stop: async () => {
      const stopping = scheduler.stop();
      await clock.advance(RUN_MS);
      await stopping;
      await store.close();
    },
  };
}

const weeks = fc.integer({ min: -21 * DAY_MS, max: 21 * DAY_MS });
const years = fc.integer({ min: -4 * 365 * DAY_MS, max: 4 * 365 * DAY_MS });
const day = fc.record({
  restarts: fc.boolean(),
  kills: fc.boolean(),
  /** Corrections in the course of the day. */
  jumps: fc.array(fc.oneof(weeks, years), { maxLength: 2 }),
});

/** A net for what never ends: a machine that is busy takes minutes for all of it. */
const LONGEST_MS = 20 * 60_000;

describeInEachPlace((place) => {
  const days = place.sized(365, 60);
  test(
    `a job runs once a day for ${days} days in two processes, whatever restarts, kills and clock corrections they bring`,
    async () => {
      const seen: Seen = { done: [], underWay: 0, mostUnderWay: 0, asking: 0 };
      const clock = wallClock(() => seen.asking > 0);
      const { JC_STORE_URL: url } = await place.environment();
      const log = url ? onPostgres(url) : onSqlite();
      const nights = fc.sample(day, { numRuns: days, seed: 2026 });
      let killed = 0;
      clock.jump(MORNING);
      const processes = [await startProcess(log, clock, seen), await startProcess(log, clock, seen)];
      for (const [index, { restarts, kills, jumps }] of nights.entries()) {
        const nightOf = SWEEP.last(MORNING) + (index + 1) * DAY_MS;
        clock.jump(nightOf - MINUTE_MS);
        await clock.advance(MINUTE_MS + 5_000);
        const victim = kills ? processes.findIndex((each) => each.isRunning()) : -1;
        if (victim >= 0) {
          await processes[victim]?.kill();
          processes[victim] = await startProcess(log, clock, seen);
          killed += 1;
        }
        await clock.advance(MINUTE_MS);
        for (const offset of jumps) {
          clock.jump(nightOf + offset);
          await clock.advance(MINUTE_MS);
        }
        if (!restarts) continue;
        await processes.shift()?.stop();
        processes.push(await startProcess(log, clock, seen));
      }
      for (const each of processes) await each.stop();
      const wanted = nights.map((_, index) => SWEEP.last(MORNING) + (index + 1) * DAY_MS);
      expect(seen.done.filter((dueAt) => wanted.includes(dueAt)).sort((a, b) => a - b)).toEqual(wanted);
      expect(new Set(seen.done).size).toBe(seen.done.length);
      expect(seen.mostUnderWay).toBe(1);
      expect(killed).toBeGreaterThan(days / 8);
    },
    LONGEST_MS,
  );
});
