import { describe, expect, test } from "vitest";
import { isDegraded } from "../../../src/core/delivery/outage-record.ts";
import { restAfter } from "../../../src/core/delivery/obstacle.ts";
import { MINUTE, SECOND } from "./simulated-store.ts";
import {
  ACCEPTED,
  deliver,
  FAILED,
  HELD,
  REJECTED,
  SPLIT,
  START,
  serve,
  type Simulation,
  simulate,
  TICK,
  TIMEOUT,
  throttled,
  type Vendor,
} from "./simulation.ts";

const FIRST_TICK = START + 4 * MINUTE;

/** Fails on whatever holds one of these. */
const failingOn =
  (culprits: readonly number[], tookMs = 50): Vendor =>
  (ids) =>
    ids.some((id) => culprits.includes(id)) ? { tookMs, answers: FAILED } : { tookMs: 50, answers: ACCEPTED };

const down: Vendor = () => ({ tookMs: 50, answers: FAILED });

function secondsOf({ calls }: Simulation): number[] {
  return calls.map(({ at }) => Math.floor((at - START) / SECOND));
}

function sizesOf({ calls }: Simulation): number[] {
  return calls.map(({ ids }) => ids.length);
}

describe("what is due", () => {
  test("goes in batches, as many at once as the window has slots, and then waits for the next window", () => {
    const world = simulate();
    world.store.raise(110);
    deliver(world);
    world.pass(5 * SECOND);
    expect(sizesOf(world)).toEqual(Array.from({ length: 10 }, () => 10));
    world.pass(6 * SECOND);
    expect(world.store.counts()).toMatchObject({ delivered: 110 });
    expect((world.calls.at(-1)?.at ?? 0) - START).toBeGreaterThanOrEqual(10 * SECOND);
  });

  test("goes to a vendor without a limit until nothing is left, also where the last batch was full", () => {
    const world = simulate();
    world.store.raise(50);
    const running = deliver(world, { hasWindow: false, spacingMs: 0, mostInFlight: 3 });
    world.pass(SECOND);
    expect(sizesOf(world)).toEqual([10, 10, 10, 10, 10]);
    expect(running.restUntil()).toBe(0);
  });

  test("is settled without a call where there is nothing to tell", () => {
    const world = simulate();
    world.store.raise(3, { isEmpty: true });
    deliver(world);
    world.pass(SECOND);
    expect(world.store.counts()).toMatchObject({ delivered: 3 });
    expect(world.calls).toEqual([]);
  });

  test("that comes one by one goes together soon after", () => {
    const world = simulate();
    world.vendor = () => ({ tookMs: 5 * SECOND, answers: ACCEPTED });
    world.store.raise(1);
    deliver(world);
    for (let n = 1; n < 5; n += 1) world.at(START + 100 * n, () => world.store.raise(1));
    world.pass(4 * SECOND);
    expect(sizesOf(world)).toEqual([1, 4]);
  });

  test("ends as the vendor says of each record, and a later wish is kept", () => {
    const world = simulate();
    const [ok = 0, no = 0, held = 0, later = 0] = world.store.raise(4);
    world.vendor = () => ({ tookMs: 50, answers: [ACCEPTED, REJECTED, HELD, throttled(START + MINUTE)] });
    deliver(world);
    world.pass(SECOND);
    const stateOf = (id: number) => world.store.pushes.get(id)?.state;
    expect([ok, no, held, later].map(stateOf)).toEqual(["delivered", "rejected", "held", "pending"]);
    expect(world.store.pushes.get(later)).toMatchObject({ dueAt: START + MINUTE, tries: 1 });
  });
});

describe("a vendor that is down", () => {
  test("is tried six times with growing delays, then once a tick with one contact, a different one each time", () => {
    const world = simulate();
    world.vendor = down;
    world.store.raise(20);
    serve(world);
    world.pass(20 * MINUTE);
    expect(secondsOf(world).slice(0, 7)).toEqual([0, 0, 1, 3, 7, 15, 31]);
    expect(world.calls.slice(7).map(({ at }) => Math.floor(at / TICK) * TICK)).toEqual(
      [0, 1, 2, 3].map((n) => FIRST_TICK + n * TICK),
    );
    const probes = world.calls.slice(2).map(({ ids }) => ids);
    expect(probes.every(({ length }) => length === 1)).toBe(true);
    expect(new Set(probes.flat()).size).toBe(probes.length);
    expect(isDegraded(world.store.outage)).toBe(true);
  });

  test("is asked at once where somebody insists, unless the vendor itself named a time", () => {
    const world = simulate();
    world.vendor = down;
    world.store.raise(20);
    serve(world);
    world.pass(2 * MINUTE);
    const before = world.calls.length;
    world.store.outage = { ...outageOf(world), notBefore: world.now() + MINUTE };
    expect(restOf(world, deliver(world, { insists: true }))).toBe(world.now() - 3 * SECOND + MINUTE);
    expect(world.calls).toHaveLength(before);
    const { notBefore: _, ...ours } = outageOf(world);
    world.store.outage = ours;
    for (const push of world.store.pushes.values()) push.dueAt = world.now();
    world.vendor = () => ({ tookMs: 50, answers: ACCEPTED });
    expect(restOf(world, deliver(world, { insists: true }))).toBe(0);
    expect(world.store.outage).toBeNull();
  });

  test("gets the rest once the contact that asked was taken", () => {
    const world = simulate();
    world.vendor = down;
    world.store.raise(20);
    serve(world);
    world.pass(6 * MINUTE);
    const before = world.calls.length;
    world.vendor = () => ({ tookMs: 50, answers: ACCEPTED });
    world.pass(TICK);
    expect(sizesOf(world).slice(before)).toEqual([1, 10, 9]);
    expect(world.store.counts()).toMatchObject({ delivered: 20 });
    expect(world.store.outage).toBeNull();
  });

  test("that limits calls is believed, and nobody is blamed", () => {
    const world = simulate();
    world.store.raise(30);
    world.vendor = (_, at) =>
      at < START + 20 * SECOND
        ? { tookMs: 50, answers: throttled(START + 20 * SECOND) }
        : { tookMs: 50, answers: ACCEPTED };
    serve(world);
    world.pass(MINUTE);
    const late = secondsOf(world).filter((second) => second > 0);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(20);
    expect(sizesOf(world).slice(0, 3)).toEqual([10, 10, 10]);
    expect(world.store.counts()).toMatchObject({ delivered: 30 });
  });
});

describe("content that makes the vendor fail", () => {
  test("is halved until the culprit stands by itself, once the canary shows that the vendor is up", () => {
    const world = simulate();
    world.store.raise(20);
    world.vendor = failingOn([13]);
    deliver(world);
    world.pass(SECOND);
    expect(world.store.counts()).toMatchObject({ delivered: 19, pending: 1 });
    expect(world.store.pushes.get(13)).toMatchObject({ isQuarantined: true, tries: 1 });
    // The two batches, the canary unless an answer told before, and both halves of 10, 5, 3 and 2.
    expect(world.calls.length).toBeLessThanOrEqual(2 + 1 + 8);
    expect(world.store.outage).toBeNull();
  });

  test("backs off by itself from then on, and keeps nobody waiting", () => {
    const world = simulate();
    world.store.raise(20);
    world.vendor = failingOn([13], TIMEOUT);
    serve(world);
    world.pass(3 * MINUTE);
    const before = world.calls.length;
    for (let n = 0; n < 100; n += 1) world.at(world.now() + 2 * n * SECOND, () => world.store.raise(1));
    world.pass(10 * MINUTE);
    const its = world.calls.slice(before).filter(({ ids }) => ids.includes(13));
    expect(its.length).toBeGreaterThan(1);
    expect(its.every(({ ids }) => ids.length === 1)).toBe(true);
    const waited = [...world.store.pushes.values()]
      .slice(20)
      .map(({ id, raisedAt }) => toldAt(world, id) - raisedAt);
    expect(Math.max(...waited)).toBeLessThan(2 * SECOND);
  });

  test("that fails alone, before the vendor took anything, may be an outage: others need not wait for it", () => {
    const world = simulate();
    const [culprit = 0] = world.store.raise(1);
    world.vendor = failingOn([culprit]);
    serve(world);
    world.pass(SECOND);
    expect(world.store.outage).toMatchObject({ suspect: culprit, failures: 1 });
    const [other = 0] = world.store.raise(1);
    const raisedAt = world.now();
    world.pass(3 * SECOND);
    expect(toldAt(world, other) - raisedAt).toBeLessThan(SECOND);
    expect(world.store.counts()).toMatchObject({ delivered: 1, pending: 1 });
  });

  test("takes half of the calls in flight at most", () => {
    const world = simulate();
    const culprits = world.store.raise(30, { isQuarantined: true, tries: 3 });
    world.vendor = failingOn(culprits, TIMEOUT);
    deliver(world);
    world.pass(20 * SECOND);
    expect(world.calls).toHaveLength(5);
    const before = world.calls.length;
    const fresh = world.store.raise(5);
    world.pass(SECOND);
    expect(world.calls[before]?.ids).toEqual(fresh);
    // One of them is the canary, which is let go when nothing needs it.
    world.pass(15 * SECOND);
    expect(world.store.counts()).toMatchObject({ delivered: 5 });
  });

  test("is no second call for the canary while it is asked, though nothing else is in flight", () => {
    const world = simulate();
    const [canary = 0, slow = 0] = world.store.raise(2, { isQuarantined: true, tries: 1 });
    world.vendor = (ids) => {
      if (ids.includes(slow)) return { tookMs: TIMEOUT, answers: ACCEPTED };
      if (ids.includes(canary)) return { tookMs: 5 * SECOND, answers: ACCEPTED };
      return { tookMs: ids.length === 1 ? 6 * SECOND : SECOND, answers: FAILED };
    };
    deliver(world, { hasWindow: false });
    world.at(START + 6 * SECOND, () => world.store.raise(2));
    world.at(START + 26 * SECOND, () => world.store.renew(canary));
    world.pass(MINUTE);
    const asked = world.calls.filter(({ ids }) => ids.includes(canary));
    // The simulation refuses a call for a contact that is in one.
    expect(asked.map(({ at }) => Math.round((at - START) / SECOND))).toEqual([0, 7, 24, 29]);
  });

  test("holds up what is new while it is asked whose fault it is, and no longer", () => {
    const world = simulate();
    world.store.raise(10);
    deliver(world);
    world.at(START + 20, () => world.store.raise(10));
    let canaries = 0;
    world.vendor = (ids) => {
      if (ids.includes(11)) return { tookMs: 50, answers: FAILED };
      if (ids.length === 1) canaries += 1;
      return { tookMs: ids.length === 1 ? 5 * SECOND : 50, answers: ACCEPTED };
    };
    world.at(START + 300, () => world.store.raise(10));
    world.pass(4 * SECOND);
    expect(canaries).toBe(1);
    expect(world.store.pushes.get(25)?.state).toBe("pending");
    world.pass(3 * SECOND);
    expect(world.store.pushes.get(25)?.state).toBe("delivered");
  });
});

describe("a call that the vendor refuses whole", () => {
  test("goes in halves until the culprit is rejected by itself", () => {
    const world = simulate();
    world.store.raise(10);
    world.vendor = (ids) => ({
      tookMs: 50,
      answers: ids.includes(4) ? (ids.length > 1 ? SPLIT : REJECTED) : ACCEPTED,
    });
    deliver(world);
    world.pass(SECOND);
    expect(world.store.counts()).toMatchObject({ delivered: 9, rejected: 1 });
    expect(world.store.pushes.get(4)?.state).toBe("rejected");
  });

  test("goes in two calls where the vendor names the culprit", () => {
    const world = simulate();
    world.store.raise(10);
    world.vendor = (ids) => {
      if (!ids.includes(4)) return { tookMs: 50, answers: ACCEPTED };
      if (ids.length === 1) return { tookMs: 50, answers: REJECTED };
      return { tookMs: 50, answers: ids.map((id) => (id === 4 ? SPLIT : { ...SPLIT, suspect: false })) };
    };
    deliver(world);
    world.pass(SECOND);
    expect(sizesOf(world)).toEqual([10, 9, 1]);
  });
});

describe("a delivery that has to end", () => {
  test("by a stop awaits what is in flight and gives the rest back, no try spent", () => {
    const world = simulate();
    world.store.raise(200);
    world.vendor = () => ({ tookMs: 3 * SECOND, answers: ACCEPTED });
    const running = deliver(world);
    world.pass(SECOND);
    running.stop();
    world.pass(SECOND);
    expect(running.restUntil()).toBeNull();
    world.pass(2 * SECOND);
    expect(running.restUntil()).toBe(0);
    expect(world.store.counts()).toMatchObject({ delivered: 100, pending: 100 });
    expect([...world.store.pushes.values()].every(({ tries }) => tries === 0)).toBe(true);
  });

  test("by a stop in the middle of a bisect gives back what was not tried yet", () => {
    const world = simulate();
    world.store.raise(20);
    world.vendor = failingOn([13], 2 * SECOND);
    const running = deliver(world);
    world.pass(3 * SECOND);
    expect(world.calls.at(-1)?.endedAt).toBeNull();
    running.stop();
    world.pass(3 * SECOND);
    expect(running.restUntil()).toBe(0);
    expect(world.store.counts()).toMatchObject({ delivered: 10, pending: 10 });
    expect([...world.store.pushes.values()].filter(({ tries }) => tries > 0)).toEqual([]);
  });

  test("since the login is dead asks nothing more, and no try is spent", () => {
    const world = simulate();
    world.store.raise(30);
    const running = deliver(world);
    world.vendor = (ids) => ({
      tookMs: ids.includes(1) ? 50 : 500,
      answers: ids.includes(1) ? ACCEPTED : FAILED,
    });
    world.at(START + 200, () => {
      world.hasAccess = false;
      world.store.raise(10);
    });
    world.pass(3 * SECOND);
    expect(running.restUntil()).toBeGreaterThan(START);
    expect(world.store.outage).toBeNull();
    expect([...world.store.pushes.values()].filter(({ tries }) => tries > 0)).toEqual([]);
  });

  test("since the store refuses draws no conclusion about the vendor", () => {
    const world = simulate();
    world.store.raise(200);
    const running = deliver(world);
    world.at(START + 20, () => {
      world.vendor = down;
      world.store.isBroken = true;
    });
    world.at(START + 50 * SECOND, () => {
      world.store.isBroken = false;
    });
    world.pass(MINUTE);
    expect(running.restUntil()).toBeGreaterThan(START);
    expect(world.store.outage).toBeNull();
  });

  test("since something else stands in the way comes back when that may have passed, and not where all is held", () => {
    const times = { now: START, retryEveryMs: 5 * MINUTE };
    expect(restAfter("store", times)).toBe(START + 10 * SECOND);
    expect(restAfter("login of before", times)).toBe(START + SECOND);
    expect(restAfter("other", times)).toBe(START + 5 * MINUTE);
    expect(restAfter("dead login", times)).toBe(0);
  });
});

function outageOf({ store }: Simulation) {
  if (!store.outage) throw new Error("no outage is noted");
  return store.outage;
}

function restOf(world: Simulation, running: ReturnType<typeof deliver>): number | null {
  world.pass(3 * SECOND);
  return running.restUntil();
}

function toldAt({ calls }: Simulation, id: number): number {
  return calls.find(({ ids }) => ids.includes(id))?.at ?? Number.POSITIVE_INFINITY;
}
