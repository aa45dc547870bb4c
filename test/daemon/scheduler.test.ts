import { join } from "node:path";
import Database from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { dailyDue, everyDue } from "../../src/core/due-times.ts";
import type { ScheduledJob, SchedulerContext } from "../../src/daemon/scheduler.ts";
import { AppError } from "../../src/shared/errors.ts";
import type { Store } from "../../src/store/contract/store.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { jobcannon } from "../../src/vendors/jobcannon/source.ts";
import { fakeClock, type FakeClock } from "../fake-clock.ts";
import { children } from "../store/child.ts";
import { onFileSystem, testWithMounts } from "../store/parts.ts";
import { invite, ORG, until } from "../world.ts";
import { claimsOf } from "../store/looks.ts";
import { temporaryDirectory } from "../directory.ts";
import { DAY_MS, MINUTE_MS, MORNING, start, SWEEP, wallClock } from "./scheduling.ts";
import { tries } from "../tries.ts";

const startChild = children();

async function openStore(stateDir: string, clock: FakeClock): Promise<Store> {
  const store = await openSqliteStore({ stateDir, clock });
  onTestFinished(() => store.close());
  return store;
}

/** A store in which one connection has one contact to tell. */
async function withWork(store: Store, at: number): Promise<number> {
  const key = { org: ORG, vendor: "hubspot", environment: "production", subject: "contact" } as const;
  const account = { id: "1", name: "portal 1", kind: null, region: null };
  const { id } = await store.saveConnection(key, { state: "connected", account });
  await addWork(store, at);
  return id;
}

async function addWork(store: Store, at: number): Promise<void> {
  const event = invite();
  const body = Buffer.from(JSON.stringify(event));
  await store.append([jobcannon.parse(body, { eventId: event.data.invitation_id, receivedAt: at })]);
}

/** Delivers everything that is due, and notes when it was asked to. */
function deliverer(store: Store, clock: FakeClock) {
  const at: number[] = [];
  return {
    at,
    deliver: async (connectionId: number) => {
      at.push(clock.now());
      const claims = await claimsOf(store, { connectionId, limit: 100, now: clock.now() });
      const outcome = { kind: "delivered", projection: {} } as const;
      await store.settle(claims.map((claim) => ({ claim, outcome, now: clock.now() })));
      return { restUntil: 0 };
    },
  };
}

/** A job that notes when it ran. */
function noting(name: string, due: ScheduledJob["due"], clock: FakeClock) {
  const at: number[] = [];
  const run = async () => {
    at.push(clock.now());
  };
  return { at, job: { name, due, run } };
}

describe("deliveries", () => {
  test("begin at once with new work, and with work that waits at the start", async () => {
    const clock = fakeClock(MORNING);
    const store = await openStore(temporaryDirectory(), clock);
    await withWork(store, clock.now());
    const { at, deliver } = deliverer(store, clock);
    const scheduler = await start(store, clock, { deliver });
    expect(at).toEqual([MORNING]);
    await addWork(store, clock.now());
    await clock.advance(0);
    expect(at).toEqual([MORNING, MORNING]);
    await scheduler.stop();
  });

  test("begin soon with work that another process wrote", async () => {
    const clock = fakeClock(MORNING);
    const stateDir = temporaryDirectory();
    const store = await openStore(stateDir, clock);
    await withWork(store, clock.now());
    const { at, deliver } = deliverer(store, clock);
    const scheduler = await start(store, clock, { deliver });
    await addWork(await openStore(stateDir, clock), clock.now());
    await until("the work is seen", () => at.length === 2);
    await scheduler.stop();
  });

  test("of what is due later begin at its time", async () => {
    const clock = fakeClock(MORNING);
    const store = await openStore(temporaryDirectory(), clock);
    const connectionId = await withWork(store, clock.now());
    const [claim] = await claimsOf(store, { connectionId, limit: 1, now: clock.now() });
    if (!claim) throw new Error("nothing to claim");
    const dueAt = MORNING + 7 * MINUTE_MS + 123;
    await store.settle([{ claim, outcome: { kind: "pending", dueAt, counted: true }, now: clock.now() }]);
    const { at, deliver } = deliverer(store, clock);
    const scheduler = await start(store, clock, { deliver });
    await clock.advance(10 * MINUTE_MS);
    expect(at).toEqual([dueAt]);
    await scheduler.stop();
  });

  test("rest as long as one said that nothing can be delivered", async () => {
    const clock = fakeClock(MORNING);
    const store = await openStore(temporaryDirectory(), clock);
    await withWork(store, clock.now());
    const at: number[] = [];
    const deliver = async () => {
      at.push(clock.now());
      return { restUntil: clock.now() + 5 * MINUTE_MS };
    };
    const scheduler = await start(store, clock, { deliver });
    await clock.advance(12 * MINUTE_MS);
    expect(at).toEqual([MORNING, MORNING + 5 * MINUTE_MS, MORNING + 10 * MINUTE_MS]);
    await scheduler.stop();
  });

  test("go on at once with a new consent, whatever the rest that the old one earned", async () => {
    const clock = fakeClock(MORNING);
    const stateDir = temporaryDirectory();
    const store = await openStore(stateDir, clock);
    await withWork(store, clock.now());
    const at: number[] = [];
    const deliver = async () => {
      at.push(clock.now());
      return { restUntil: clock.now() + 5 * MINUTE_MS };
    };
    const scheduler = await start(store, clock, { deliver });
    await clock.advance(MINUTE_MS);
    expect(at).toEqual([MORNING]);
    const elsewhere = await openStore(stateDir, clock);
    const [connection] = await elsewhere.connections();
    if (!connection) throw new Error("there is no connection");
    const connectedAt = clock.now();
    await elsewhere.saveConnection({ ...connection, subject: "contact" }, { connectedAt });
    await until("the consent is seen", () => at.length === 2);
    expect(at).toEqual([MORNING, connectedAt]);
    await clock.advance(4 * MINUTE_MS);
    expect(at).toHaveLength(2);
    await scheduler.stop();
  });

  test("that the store failed begin again within a second of its return, and it is asked about once a second", async () => {
    const clock = fakeClock(MORNING);
    const store = await openStore(temporaryDirectory(), clock);
    await withWork(store, clock.now());
    let isAway = false;
    let asked = 0;
    const away = () => new AppError("STORE_UNAVAILABLE", "the database cannot be reached");
    const dueWork: Store["dueWork"] = async (...args) => {
      asked += 1;
      if (isAway) throw away();
      return await store.dueWork(...args);
    };
    const at: number[] = [];
    const deliver = async () => {
      at.push(clock.now());
      isAway = true;
      throw away();
    };
    const scheduler = await start({ ...store, dueWork }, clock, { deliver });
    expect(at).toEqual([MORNING]);
    await clock.advance(10 * MINUTE_MS);
    expect(at).toHaveLength(1);
    expect(asked).toBeGreaterThan(400);
    expect(asked).toBeLessThan(1_300);
    isAway = false;
    await clock.advance(1_000);
    expect(at).toHaveLength(2);
    await scheduler.stop();
  });

  test("that the store fails again and again, though it can be read, are tried ever more seldom", async () => {
    const clock = fakeClock(MORNING);
    const store = await openStore(temporaryDirectory(), clock);
    await withWork(store, clock.now());
    const at: number[] = [];
    const deliver = async () => {
      at.push(clock.now());
      throw new AppError("STORE_UNAVAILABLE", "the disk is full");
    };
    const scheduler = await start(store, clock, { deliver });
    await clock.advance(1_000);
    expect(at).toHaveLength(2);
    await clock.advance(10 * MINUTE_MS);
    expect(at.length).toBeGreaterThanOrEqual(30);
    expect(at.length).toBeLessThan(40);
    await scheduler.stop();
  });

  test("of one connection never run twice at a time", async () => {
    const clock = fakeClock(MORNING);
    const store = await openStore(temporaryDirectory(), clock);
    await withWork(store, clock.now());
    let running = 0;
    let most = 0;
    const deliver = async () => {
      running += 1;
      most = Math.max(most, running);
      await clock.sleep(MINUTE_MS);
      running -= 1;
      return { restUntil: 0 };
    };
    const scheduler = await start(store, clock, { deliver });
    await addWork(store, clock.now());
    await clock.advance(5 * MINUTE_MS);
    expect(most).toBe(1);
    const stopped = scheduler.stop();
    await clock.advance(MINUTE_MS);
    await stopped;
  });
});

describe("jobs", () => {
  test("run at their times", async () => {
    const clock = fakeClock(MORNING);
    const store = await openStore(temporaryDirectory(), clock);
    const { at, job } = noting("tick", everyDue(5 * MINUTE_MS), clock);
    const scheduler = await start(store, clock, { jobs: [job] });
    await clock.advance(16 * MINUTE_MS);
    expect(at).toEqual([0, 5, 10, 15].map((minutes) => MORNING + minutes * MINUTE_MS));
    await scheduler.stop();
  });

  test("missed while no process ran are made up once, at the start", async () => {
    const clock = fakeClock(MORNING);
    const store = await openStore(temporaryDirectory(), clock);
    const { at, job } = noting("sweep", SWEEP, clock);
    await (await start(store, clock, { jobs: [job] })).stop();
    clock.jump(MORNING + 9 * DAY_MS);
    const scheduler = await start(store, clock, { jobs: [job] });
    await clock.advance(19 * 60 * MINUTE_MS);
    expect(at).toEqual([MORNING, MORNING + 9 * DAY_MS]);
    await clock.advance(60 * MINUTE_MS);
    expect(at).toHaveLength(3);
    await scheduler.stop();
  });

  test("of a day, missed while no process ran, begin after what is due to vendors; those of a minute beside it", async () => {
    const clock = fakeClock(MORNING);
    const store = await openStore(temporaryDirectory(), clock);
    await withWork(store, clock.now());
    const began: [string, number][] = [];
    const noteAs = (name: string) => async () => {
      began.push([name, clock.now() - MORNING]);
    };
    const { deliver } = deliverer(store, clock);
    const slow = async (connectionId: number) => {
      await noteAs("deliver")();
      await clock.sleep(7_000);
      return await deliver(connectionId);
    };
    const jobs = [
      { name: "sweep", due: SWEEP, run: noteAs("sweep") },
      { name: "refresh", due: everyDue(MINUTE_MS), run: noteAs("refresh") },
    ];
    const scheduler = await start(store, clock, { jobs, deliver: slow });
    await clock.advance(30_000);
    const [first, second, third, ...rest] = began;
    expect([first, second].toSorted()).toEqual([
      ["deliver", 0],
      ["refresh", 0],
    ]);
    expect(third).toEqual(["sweep", 7_000]);
    expect(rest).toEqual([]);
    await scheduler.stop();
  });

  test("of a day, missed while no process ran, begin within a minute though a delivery does not end", async () => {
    const clock = fakeClock(MORNING);
    const store = await openStore(temporaryDirectory(), clock);
    await withWork(store, clock.now());
    const { at, job } = noting("sweep", SWEEP, clock);
    const deliver: SchedulerContext["deliver"] = async (_connectionId, signal) => {
      await clock.sleep(DAY_MS, signal).catch(() => {});
      return { restUntil: 0 };
    };
    const scheduler = await start(store, clock, { jobs: [job], deliver });
    await clock.advance(2 * MINUTE_MS);
    expect(at).toEqual([MORNING + MINUTE_MS]);
    await scheduler.stop();
  });

  test("run once in all processes on one store", async () => {
    const clock = fakeClock(MORNING);
    const stateDir = temporaryDirectory();
    const { at, job } = noting("sweep", SWEEP, clock);
    const schedulers = [];
    for (const store of [await openStore(stateDir, clock), await openStore(stateDir, clock)])
      schedulers.push(await start(store, clock, { jobs: [job] }));
    await clock.advance(3 * DAY_MS);
    expect(at).toHaveLength(1 + 3);
    for (const scheduler of schedulers) await scheduler.stop();
  });

  test("that failed run again after a pause, until they are done", async () => {
    const clock = fakeClock(MORNING);
    const store = await openStore(temporaryDirectory(), clock);
    const at: number[] = [];
    const run = async () => {
      at.push((clock.now() - MORNING) / MINUTE_MS);
      if (at.length < 4) throw new AppError("VENDOR_UNAVAILABLE", "not now");
    };
    const scheduler = await start(store, clock, { jobs: [{ name: "sweep", due: SWEEP, run }] });
    await clock.advance(10 * 60 * MINUTE_MS);
    expect(at).toEqual([0, 1, 3, 7]);
    await scheduler.stop();
  });

  test("cut off by the end of their process are taken up by the next one", async () => {
    const clock = fakeClock(MORNING);
    const store = await openStore(temporaryDirectory(), clock);
    const ended: string[] = [];
    const run = async (signal: AbortSignal) => {
      await clock.sleep(MINUTE_MS, signal).catch((error: unknown) => {
        ended.push("cut off");
        throw error;
      });
      ended.push("done");
    };
    const jobs = [{ name: "sweep", due: SWEEP, run }];
    await (await start(store, clock, { jobs })).stop();
    const next = await start(store, clock, { jobs });
    await clock.advance(10 * MINUTE_MS);
    expect(ended).toEqual(["cut off", "done"]);
    await next.stop();
  });

  test("of every minute go on at once when the clock is set back, and leave one row", async () => {
    const clock = wallClock();
    const stateDir = temporaryDirectory();
    const store = await openStore(stateDir, clock);
    const { at, job } = noting("alerts", everyDue(MINUTE_MS), clock);
    const scheduler = await start(store, clock, { jobs: [job] });
    await clock.advance(10 * MINUTE_MS);
    clock.jump(MORNING + 2 * MINUTE_MS);
    const before = at.length;
    await clock.advance(3 * MINUTE_MS);
    expect(at.slice(before).map((time) => Math.floor((time - MORNING) / MINUTE_MS))).toEqual([2, 3, 4, 5]);
    await scheduler.stop();
    const db = new Database(join(stateDir, "log.db"));
    onTestFinished(() => void db.close());
    expect(db.prepare("SELECT count(*) FROM ticks").pluck().get()).toBe(1);
  });

  test("go on after the clock was years ahead for a moment", async () => {
    const clock = wallClock();
    const store = await openStore(temporaryDirectory(), clock);
    const { at, job } = noting("sweep", SWEEP, clock);
    const scheduler = await start(store, clock, { jobs: [job] });
    clock.jump(MORNING + 3_000 * DAY_MS);
    await clock.advance(MINUTE_MS);
    const before = at.length;
    clock.jump(MORNING + 2 * MINUTE_MS);
    await clock.advance(2 * DAY_MS);
    expect(at.slice(before)).toEqual([MORNING + 20 * 60 * MINUTE_MS, MORNING + 44 * 60 * MINUTE_MS]);
    await scheduler.stop();
  });
});

describe("a full disk", () => {
  testWithMounts("ends nothing, is told once, and all goes on when there is room", async () => {
    const mountedAt = temporaryDirectory();
    const [said] = await startChild(
      "full-disk-scheduler",
      [mountedAt],
      onFileSystem(mountedAt, "size=8m"),
    ).rest();
    const isTold = expect.stringContaining("the log cannot be used");
    expect(said).toMatchObject({
      before: { jobs: 3, deliveries: 0, told: [] },
      full: { jobs: 3, delivered: 0, told: [isTold] },
      afterwards: { delivered: 1, told: [isTold, expect.stringContaining("can be used again")] },
      outcome: "in order",
    });
    expect(said).toHaveProperty(
      "full.deliveries",
      expect.toSatisfy((tries) => tries > 3 && tries < 30),
    );
    expect(said).toHaveProperty(
      "afterwards.jobs",
      expect.toSatisfy((jobs) => jobs >= 3 + 5),
    );
  });
});

describe("the scheduler ends", () => {
  test("when it is told to, after what is under way, which it tells as well", async () => {
    const clock = fakeClock(MORNING);
    const store = await openStore(temporaryDirectory(), clock);
    await withWork(store, clock.now());
    const order: string[] = [];
    const deliver: SchedulerContext["deliver"] = async (_connectionId, signal) => {
      signal.addEventListener("abort", () => order.push("told"));
      await clock.sleep(MINUTE_MS);
      order.push("delivered");
      return { restUntil: 0 };
    };
    const scheduler = await start(store, clock, { deliver });
    const stopped = scheduler.stop().then(() => order.push("ended"));
    await clock.advance(MINUTE_MS);
    await stopped;
    expect(order).toEqual(["told", "delivered", "ended"]);
    expect(clock.sleepers()).toBe(0);
  });

  test("before it begins when it was told to before", async () => {
    const clock = fakeClock(MORNING);
    const store = await openStore(temporaryDirectory(), clock);
    const { at, job } = noting("sweep", SWEEP, clock);
    const scheduler = await start(store, clock, { jobs: [job] });
    await scheduler.stop();
    expect(at).toEqual([MORNING]);
    clock.jump(MORNING + DAY_MS);
    await clock.advance(DAY_MS);
    expect(at).toEqual([MORNING]);
  });

  test("with the error of a job that failed, once the others have ended", async () => {
    const clock = fakeClock(MORNING);
    const store = await openStore(temporaryDirectory(), clock);
    await withWork(store, clock.now());
    let isDelivered = false;
    const deliver: SchedulerContext["deliver"] = async (_connectionId, signal) => {
      await clock.sleep(DAY_MS, signal).catch(() => {});
      isDelivered = true;
      return { restUntil: 0 };
    };
    const run = async () => {
      throw new Error("the sweep's own trouble");
    };
    const jobs = [{ name: "sweep", due: everyDue(MINUTE_MS), run }];
    const scheduler = await start(store, clock, { deliver, jobs });
    await expect(scheduler.ended).rejects.toThrow("the sweep's own trouble");
    expect(isDelivered).toBe(true);
  });

  test("with the error of a delivery that failed", async () => {
    const clock = fakeClock(MORNING);
    const store = await openStore(temporaryDirectory(), clock);
    await withWork(store, clock.now());
    const deliver = async () => {
      throw new Error("the delivery's own trouble");
    };
    const scheduler = await start(store, clock, { deliver });
    await expect(scheduler.ended).rejects.toThrow("the delivery's own trouble");
  });
});

describe("due times", () => {
  const moments = fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) });

  test("lie on both sides of every moment, one step apart", () => {
    const minutes = fc.integer({ min: 0, max: 24 * 60 - 1 });
    fc.assert(
      fc.property(moments, minutes, (now, minute) => {
        for (const [due, step] of [
          [dailyDue(minute), DAY_MS],
          [everyDue(5 * MINUTE_MS), 5 * MINUTE_MS],
        ] as const) {
          expect(due.last(now)).toBeLessThanOrEqual(now);
          expect(due.next(now)).toBeGreaterThan(now);
          expect(due.next(now) - due.last(now)).toBe(step);
          expect(due.last(due.next(now))).toBe(due.next(now));
        }
      }),
      tries(100),
    );
  });

  test("are what the operator wrote, in UTC", () => {
    const due = dailyDue(2 * 60);
    const at = (text: string) => Date.parse(text);
    expect(due.last(at("2026-11-22T01:59:59.999Z"))).toBe(at("2026-11-21T02:00:00Z"));
    expect(due.last(at("2026-11-22T02:00:00Z"))).toBe(at("2026-11-22T02:00:00Z"));
    expect(due.next(at("2026-11-22T02:00:00Z"))).toBe(at("2026-11-23T02:00:00Z"));
    expect(everyDue(5 * MINUTE_MS).next(at("2026-11-22T02:03:20Z"))).toBe(at("2026-11-22T02:05:00Z"));
  });
});

test("jobs that end together are told to the store once each, and not asked for again", async () => {
  const clock = fakeClock(MORNING);
  const store = await openStore(temporaryDirectory(), clock);
  const [begun, ended]: [string[], string[]] = [[], []];
  const counting: Store = {
    ...store,
    beginTick: (request) => {
      begun.push(request.job);
      return store.beginTick(request);
    },
    endTick: (job, ...rest) => {
      ended.push(job);
      return store.endTick(job, ...rest);
    },
  };
  const names = ["a", "b", "c"];
  const jobs = names.map((name) => ({ name, due: everyDue(MINUTE_MS), run: async () => {} }));
  const started = await start(counting, clock, { jobs });
  await until("all are told", () => ended.length >= 3);
  await clock.advance(MINUTE_MS - 1);
  expect(begun).toEqual(names);
  expect(ended.toSorted()).toEqual(names);
  await started.stop();
});
