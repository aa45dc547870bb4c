/** What holds whatever the vendor does: faults and latencies are random, and so are the moments in which they meet. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Answer } from "../../../src/core/delivery/answer.ts";
import { isDegraded } from "../../../src/core/delivery/outage-record.ts";
import { MINUTE, SECOND, WINDOW } from "./simulated-store.ts";
import {
  ACCEPTED,
  deliver,
  FAILED,
  HELD,
  REJECTED,
  SPLIT,
  START,
  type SimulatedCall,
  serve,
  type Simulation,
  simulate,
  TICK,
  TIMEOUT,
  throttled,
  type Vendor,
} from "./simulation.ts";

const HOUR = 60 * MINUTE;
/** Seconds of work, on a machine that may be busy. */
const TEST_MS = 120_000;

/** The same numbers again for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const seed = fc.integer();

/** How a vendor fails, between which minutes. */
const mood = fc.record({
  kind: fc.constantFrom("down", "hangs", "throttles", "refuses whole", "is picky"),
  from: fc.nat(20),
  minutes: fc.integer({ min: 1, max: 15 }),
  share: fc.constantFrom(0.1, 0.5, 1),
});
type Mood = typeof mood extends fc.Arbitrary<infer Value> ? Value : never;

/** Fails by its moods, and on whatever holds a culprit; answers in up to two seconds. */
function moodyVendor(random: () => number, moods: readonly Mood[], culprits: readonly number[]): Vendor {
  return (ids, at) => {
    const tookMs = 10 + Math.floor(random() * 2 * SECOND);
    const minute = (at - START) / MINUTE;
    const now = moods.filter(({ from, minutes }) => minute >= from && minute < from + minutes);
    const mood = now.find(({ share }) => random() < share);
    if (mood?.kind === "down") return { tookMs, answers: FAILED };
    if (mood?.kind === "hangs") return { tookMs: TIMEOUT, answers: FAILED };
    if (mood?.kind === "throttles") return { tookMs, answers: throttled(at + 10 * SECOND) };
    if (ids.some((id) => culprits.includes(id)))
      return random() < 0.5 ? { tookMs, answers: FAILED } : { tookMs: TIMEOUT, answers: FAILED };
    if (mood?.kind === "refuses whole" && ids.length > 1) return { tookMs, answers: SPLIT };
    if (mood?.kind === "is picky") return { tookMs, answers: ids.map(() => pickyAnswer(random)) };
    return { tookMs, answers: ACCEPTED };
  };
}

function pickyAnswer(random: () => number): Answer {
  return [ACCEPTED, ACCEPTED, REJECTED, HELD, FAILED, SPLIT][Math.floor(random() * 6)] ?? ACCEPTED;
}

describe("whatever the vendor does", () => {
  // The simulation itself refuses a second call for a contact that is in one, and a delivery that ends with a claim.
  test("every push ends settled or due, and no contact is in two calls at once", { timeout: TEST_MS }, () => {
    fc.assert(
      fc.property(
        seed,
        fc.array(mood, { maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 150 }), { maxLength: 3 }),
        fc.array(fc.nat(20 * SECOND), { maxLength: 4 }),
        fc.boolean(),
        (seed, moods, culprits, stops, hasWindow) => {
          const random = randomOf(seed);
          const world = simulate({ random });
          world.vendor = moodyVendor(random, moods, culprits);
          world.store.raise(150);
          for (let n = 0; n < 100; n += 1)
            world.at(START + Math.floor(random() * 30 * MINUTE), () =>
              world.store.renew(1 + Math.floor(random() * 150)),
            );
          world.store.raise(5, { isEmpty: true });
          for (let n = 0; n < 20; n += 1)
            world.at(START + Math.floor(random() * 30 * MINUTE), () =>
              world.store.raise(1 + Math.floor(random() * 5)),
            );
          let running = [serve(world, { hasWindow }), serve(world, { hasWindow })];
          for (const ms of stops)
            world.at(START + ms, () => {
              for (const each of running) each.stop();
              running = [serve(world, { hasWindow }), serve(world, { hasWindow })];
            });
          for (const what of ["store", "login"])
            for (let n = 0; n < 3; n += 1) {
              const from = START + Math.floor(random() * 10 * MINUTE);
              world.at(from, () => fail(world, what, true));
              world.at(from + SECOND, () => fail(world, what, false));
            }
          world.pass(1.5 * HOUR);
          for (const each of running) each.stop();
          world.pass(5 * MINUTE);
          for (const { id, state, holder } of world.store.pushes.values()) {
            expect(holder).toBeNull();
            expect(state === "pending").toBe(culprits.includes(id) && state === "pending");
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  test("a culprit ends by itself, and everybody else arrives", { timeout: TEST_MS }, () => {
    fc.assert(
      fc.property(
        seed,
        fc.uniqueArray(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 12 }),
        fc.boolean(),
        (seed, culprits, hasWindow) => {
          const random = randomOf(seed);
          const world = simulate({ random });
          world.vendor = moodyVendor(random, [], culprits);
          world.store.raise(100);
          serve(world, { hasWindow });
          world.pass(HOUR);
          expect(world.store.counts()).toMatchObject({
            delivered: 100 - culprits.length,
            pending: culprits.length,
          });
          expect(culprits.every((id) => world.store.pushes.get(id)?.isQuarantined)).toBe(true);
          const late = callsWith(world, culprits).filter(({ at }) => at >= START + 50 * MINUTE);
          expect(late.length).toBeGreaterThan(0);
          expect(late.every(({ ids }) => ids.length === 1)).toBe(true);
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe("new work", () => {
  test("never waits behind failing work longer than a window plus one call's timeout", {
    timeout: TEST_MS,
  }, () => {
    let looked = 0;
    fc.assert(
      fc.property(
        seed,
        fc.integer({ min: 1, max: 300 }),
        fc.array(fc.integer({ min: 1, max: 4_000 }), { minLength: 20, maxLength: 40 }),
        (seed, failing, gapsMs) => {
          const random = randomOf(seed);
          const world = simulate({ random });
          // The vendor took something: what fails later is known to be content.
          world.store.raise(10);
          const culprits = Array.from({ length: failing }, (_, n) => 11 + n);
          world.vendor = moodyVendor(random, [], culprits);
          const running = deliver(world);
          world.at(START + 100, () => {
            for (let n = 0; n < failing; n += 1)
              world.store.raise(1, { tries: 1 + (n % 6), isQuarantined: n % 3 === 0 });
          });
          const fresh: number[] = [];
          let at = START + 3 * SECOND;
          for (const gapMs of gapsMs) {
            at += gapMs;
            world.at(at, () => running.restUntil() === null && fresh.push(...world.store.raise(1)));
          }
          world.pass(10 * MINUTE);
          running.stop();
          looked += fresh.length;
          for (const id of fresh) {
            const toldAt = callsWith(world, [id])[0]?.at ?? Number.POSITIVE_INFINITY;
            const raisedAt = world.store.pushes.get(id)?.raisedAt ?? 0;
            expect(toldAt - raisedAt).toBeLessThanOrEqual(WINDOW.windowMs + TIMEOUT);
          }
        },
      ),
      { numRuns: 20 },
    );
    expect(looked).toBeGreaterThan(200);
  });
});

describe("a degraded vendor", () => {
  test("is asked with one contact a tick at most, by all processes together, whoever is restarted", {
    timeout: TEST_MS,
  }, () => {
    let ticks = 0;
    fc.assert(
      fc.property(
        seed,
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.integer({ min: 11, max: 50 }), { maxLength: 6 }),
        (seed, contacts, restarts) => {
          const random = randomOf(seed);
          const world = simulate({ random });
          world.vendor = moodyVendor(random, [{ kind: "down", from: 0, minutes: 600, share: 1 }], []);
          world.store.raise(contacts + 1);
          let running = [serve(world), serve(world), serve(world)];
          for (const minute of restarts)
            world.at(START + minute * MINUTE, () => {
              running[0]?.stop();
              world.store.raise(3);
              running = [...running.slice(1), serve(world)];
            });
          world.pass(10 * MINUTE);
          if (!isDegraded(world.store.outage) || world.store.outage.suspect !== null) return;
          const before = world.calls.length;
          world.pass(50 * MINUTE);
          const byTick = grouped(world.calls.slice(before));
          ticks += byTick.size;
          for (const calls of byTick.values()) expect(calls.map(({ ids }) => ids.length)).toEqual([1]);
        },
      ),
      { numRuns: 25 },
    );
    expect(ticks).toBeGreaterThan(100);
  });
});

function fail(world: Simulation, what: string, isBroken: boolean): void {
  if (what === "store") world.store.isBroken = isBroken;
  else world.hasAccess = !isBroken;
}

function callsWith({ calls }: Simulation, wanted: readonly number[]): SimulatedCall[] {
  return calls.filter(({ ids }) => ids.some((id) => wanted.includes(id)));
}

function tickOf({ at }: SimulatedCall): number {
  return Math.floor(at / TICK);
}

function grouped(calls: readonly SimulatedCall[]): Map<number, SimulatedCall[]> {
  const groups = new Map<number, SimulatedCall[]>();
  for (const call of calls) groups.set(tickOf(call), [...(groups.get(tickOf(call)) ?? []), call]);
  return groups;
}
