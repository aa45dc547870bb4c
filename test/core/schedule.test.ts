import { describe, expect, test } from "vitest";
import { dailyDue, everyDue, hurriedDue } from "../../src/core/due-times.ts";
import {
  type DueDelivery,
  emptySchedule,
  look,
  noted,
  type Schedule,
  type ScheduleEvent,
  type TimedJob,
} from "../../src/core/schedule.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Six in the morning: the day's backup was due three hours ago. */
const MORNING = Date.UTC(2026, 0, 1, 6);
const BACKUP = { name: "backup", due: dailyDue(3 * 60) };
const REFRESH = { name: "refresh", due: everyDue(MINUTE_MS) };
const DUE: DueDelivery = { connectionId: 1, dueAt: MORNING, connectedAt: 7 };

/** A service that is told what happens, and when. */
function service(jobs: readonly TimedJob[]) {
  let schedule: Schedule = emptySchedule();
  return {
    note: (event: ScheduleEvent, now: number) => {
      schedule = noted(schedule, event, { now, random: () => 0.5 });
    },
    look: (now: number, work: readonly DueDelivery[] = [], isLeftToOthers = false) => {
      const found = look(schedule, { work, jobs, isLeftToOthers, now });
      schedule = found.schedule;
      return {
        delivers: found.deliver.map(({ connectionId }) => connectionId),
        asks: found.ask.map(({ job }) => job.name),
        wakesIn: found.wakeAt - now,
      };
    },
  };
}

const delivered = { kind: "delivered", connectionId: 1, connectedAt: 7, restUntil: 0 } as const;

describe("a daily job that was missed", () => {
  test("gives way to what is due to vendors, and follows it; others begin beside it", () => {
    const { look, note } = service([BACKUP, REFRESH]);
    expect(look(MORNING, [DUE])).toMatchObject({ delivers: [1], asks: ["refresh"] });
    note({ kind: "asked", name: "refresh", dueAt: MORNING, standing: "ours" }, MORNING);
    expect(look(MORNING + 5_000)).toMatchObject({ asks: [] });
    note(delivered, MORNING + 9_000);
    expect(look(MORNING + 9_000)).toMatchObject({ delivers: [], asks: ["backup"] });
  });

  test("begins at once where nothing is due, or what is due rests", () => {
    expect(service([BACKUP]).look(MORNING)).toMatchObject({ asks: ["backup"] });
    const later = { ...DUE, dueAt: MORNING + HOUR_MS };
    expect(service([BACKUP]).look(MORNING, [later])).toMatchObject({ delivers: [], asks: ["backup"] });
    const resting = service([BACKUP]);
    resting.look(MORNING, [DUE]);
    resting.note({ ...delivered, restUntil: MORNING + HOUR_MS }, MORNING + 1_000);
    expect(resting.look(MORNING + 1_000, [DUE])).toMatchObject({ delivers: [], asks: ["backup"] });
  });

  test("gives way for a minute at most, however much is due", () => {
    const { look, note } = service([BACKUP]);
    const wakes: number[] = [];
    for (let now = MORNING; now < MORNING + MINUTE_MS; now += wakes.at(-1) ?? MINUTE_MS) {
      const { asks, wakesIn } = look(now, [DUE]);
      expect(asks).toEqual([]);
      note(delivered, now);
      wakes.push(wakesIn);
    }
    expect(wakes.reduce((sum, ms) => sum + ms, 0)).toBe(MINUTE_MS);
    expect(look(MORNING + MINUTE_MS, [DUE])).toMatchObject({ delivers: [1], asks: ["backup"] });
  });

  test("while the machine slept gives way as well", () => {
    const { look, note } = service([BACKUP]);
    look(MORNING);
    note({ kind: "asked", name: "backup", dueAt: BACKUP.due.last(MORNING), standing: "done" }, MORNING);
    const noon = MORNING + 30 * HOUR_MS;
    expect(look(noon, [DUE])).toMatchObject({ delivers: [1], asks: [] });
    note(delivered, noon + 1);
    expect(look(noon + 1)).toMatchObject({ asks: ["backup"] });
  });

  test("gives way no longer once the clock was set back", () => {
    const { look } = service([BACKUP]);
    expect(look(MORNING, [DUE])).toMatchObject({ asks: [] });
    expect(look(MORNING - HOUR_MS, [DUE])).toMatchObject({ asks: ["backup"] });
  });
});

describe("a daily job that was not missed", () => {
  test("begins at its time, beside what is delivered", () => {
    const { look, note } = service([BACKUP]);
    const before = MORNING + 21 * HOUR_MS - 20_000;
    look(before);
    note({ kind: "asked", name: "backup", dueAt: BACKUP.due.last(before), standing: "done" }, before);
    expect(look(before + 20_000, [DUE])).toMatchObject({ delivers: [1], asks: ["backup"] });
  });

  test("begins at once when somebody waits for it", () => {
    const { due, hurry } = hurriedDue(BACKUP.due);
    const { look } = service([{ name: "backup", due }]);
    hurry(MORNING - 30_000);
    expect(look(MORNING, [DUE])).toMatchObject({ delivers: [1], asks: ["backup"] });
  });
});

describe("what is under way", () => {
  test("begins no second time until it ended", () => {
    const { look, note } = service([REFRESH]);
    expect(look(MORNING, [DUE])).toMatchObject({ delivers: [1], asks: ["refresh"] });
    note({ kind: "asked", name: "refresh", dueAt: MORNING, standing: "ours" }, MORNING);
    expect(look(MORNING + MINUTE_MS, [DUE])).toMatchObject({ delivers: [], asks: [] });
    note({ kind: "ran", name: "refresh", dueAt: MORNING, isDone: true }, MORNING + MINUTE_MS);
    note(delivered, MORNING + MINUTE_MS);
    expect(look(MORNING + MINUTE_MS, [DUE])).toMatchObject({ delivers: [1], asks: ["refresh"] });
  });
});

describe("the store is asked for a job", () => {
  test("no more once it is done, and every 20 s while it is not", () => {
    const { look, note } = service([BACKUP]);
    look(MORNING);
    const dueAt = BACKUP.due.last(MORNING);
    note({ kind: "asked", name: "backup", dueAt, standing: "later" }, MORNING);
    expect(look(MORNING + 19_999)).toMatchObject({ asks: [] });
    expect(look(MORNING + 20_000)).toMatchObject({ asks: ["backup"] });
    note({ kind: "asked", name: "backup", dueAt, standing: "done" }, MORNING + 20_000);
    expect(look(MORNING + HOUR_MS)).toMatchObject({ asks: [] });
  });
});

describe("all that another service does", () => {
  test("is left to it, and looked at again in five seconds", () => {
    const { look } = service([BACKUP]);
    expect(look(MORNING, [DUE], true)).toEqual({ delivers: [], asks: [], wakesIn: 5_000 });
    expect(look(MORNING + 5_000)).toMatchObject({ asks: ["backup"] });
  });
});

test("what failed because the store was away rests no longer once it answers; what failed beside an answering one rests ever longer", () => {
  const { look, note } = service([]);
  const failed = { kind: "store failed", connectionId: 1, connectedAt: 7 } as const;
  look(MORNING, [DUE]);
  note(failed, MORNING);
  expect(look(MORNING, [DUE])).toEqual({ delivers: [], asks: [], wakesIn: 750 });
  expect(look(MORNING + 750, [DUE])).toMatchObject({ delivers: [1] });
  note(failed, MORNING + 750);
  expect(look(MORNING + 750, [DUE])).toMatchObject({ delivers: [], wakesIn: 1_500 });
  note({ kind: "store away" }, MORNING + 800);
  note({ kind: "store answered" }, MORNING + 900);
  expect(look(MORNING + 900, [DUE])).toMatchObject({ delivers: [1] });
});
