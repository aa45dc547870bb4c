/** What holds whatever the vendor does: faults and latencies are random, and so are the moments in which they meet. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Answer } from "../../../src/core/delivery/answer.ts";
import { isDegraded } from "../../../src/core/delivery/outage-record.ts";
import type { DeliveryCommand } from "../../../src/core/delivery/events.ts";
import type { Rules } from "../../../src/core/delivery/state.ts";
import { MINUTE, SECOND, type SimulatedPush, WINDOW } from "./simulated-store.ts";
import {
  ACCEPTED,
  again,
  CLASHED,
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
import { TRIES_MS, tries } from "../../tries.ts";

const HOUR = 60 * MINUTE;

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
  kind: fc.constantFrom("down", "hangs", "throttles", "refuses whole", "refuses some", "is picky"),
  from: fc.nat(20),
  minutes: fc.integer({ min: 1, max: 15 }),
  share: fc.constantFrom(0.1, 0.5, 1),
});
type Mood = typeof mood extends fc.Arbitrary<infer Value> ? Value : never;

/** Fails by its moods, and on whatever holds a culprit; answers in up to two seconds. */
function moodyVendor(
  { random, clock }: Simulation,
  moods: readonly Mood[],
  culprits: readonly number[],
): Vendor {
  return (ids, at) => {
    const tookMs = 10 + Math.floor(random() * 2 * SECOND);
    const minute = (at - START) / MINUTE;
    const now = moods.filter(({ from, minutes }) => minute >= from && minute < from + minutes);
    const mood = now.find(({ share }) => random() < share);
    if (mood?.kind === "down") return { tookMs, answers: FAILED };
    if (mood?.kind === "hangs") return { tookMs: TIMEOUT, answers: FAILED };
    if (mood?.kind === "throttles") return { tookMs, answers: throttled(clock() + 10 * SECOND) };
    if (ids.some((id) => culprits.includes(id)))
      return random() < 0.5 ? { tookMs, answers: FAILED } : { tookMs: TIMEOUT, answers: FAILED };
    if (mood?.kind === "refuses whole" && ids.length > 1) return { tookMs, answers: SPLIT };
    if (mood?.kind === "refuses some" && ids.length > 1)
      return { tookMs, answers: ids.map(() => ({ ...SPLIT, suspect: random() < 0.2 })) };
    if (mood?.kind === "is picky")
      return { tookMs, answers: ids.map(() => pickyAnswer(random, clock() + 30 * SECOND)) };
    return { tookMs, answers: ACCEPTED };
  };
}

function pickyAnswer(random: () => number, later: number): Answer {
  const answers = [ACCEPTED, ACCEPTED, ACCEPTED, REJECTED, HELD, FAILED, SPLIT, CLASHED, again(later)];
  return answers[Math.floor(random() * answers.length)] ?? ACCEPTED;
}

/** Most were never tried; others failed before, some for their content. */
function anyHistory(random: () => number): Partial<SimulatedPush> {
  if (random() < 0.8) return {};
  const tries = 1 + Math.floor(random() * 7);
  return { tries, isQuarantined: random() < 0.5, isEmpty: random() < 0.1 };
}

/** At a time, or as the delivery does something for the nth time. */
const moment = fc.oneof(
  fc.record({ at: fc.oneof(fc.nat(30 * SECOND), fc.nat(20 * MINUTE)) }),
  fc.record({
    on: fc.constantFrom<DeliveryCommand["kind"]>(
      "claim",
      "claim probe",
      "take slot",
      "open tick",
      "send",
      "settle",
      "read outage",
      "save outage",
      "finish",
    ),
    nth: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 100 })),
  }),
);

/** What happens to those who deliver, when, and for how long or by how much. */
const happening = fc.record({
  kind: fc.constantFrom(
    "stop",
    "kill",
    "store refuses",
    "no login",
    "clock ahead",
    "clock back",
    "replay",
    "news",
    "more",
    "more that is empty",
  ),
  when: moment,
  ms: fc.oneof(fc.nat(3 * SECOND), fc.nat(2 * MINUTE), fc.nat(10 * MINUTE)),
});
type Happening = typeof happening extends fc.Arbitrary<infer Value> ? Value : never;

/** What was noted of the vendor before: all failed, or the one suspect. */
const outage = fc.record({
  failures: fc.integer({ min: 1, max: 8 }),
  since: fc.constant(START - MINUTE),
  restUntil: fc.integer({ min: START - MINUTE, max: START + MINUTE }),
  suspect: fc.option(fc.integer({ min: 1, max: 20 })),
});

/** Two services, and what happens to them. */
function twoServices(world: Simulation, rules: Partial<Rules>, happenings: readonly Happening[]): () => void {
  const some = () => 1 + Math.floor(world.random() * world.store.pushes.size);
  const begun = () => [serve(world, rules), serve(world, rules)];
  let running = begun();
  const befalls = ({ kind, ms }: Happening) => {
    switch (kind) {
      case "stop":
        for (const each of running) each.stop();
        running = begun();
        return;
      case "kill":
        running[0]?.kill();
        running = [...running.slice(1), serve(world, rules)];
        return;
      case "store refuses":
        return during(world, ms, (is) => {
          world.store.isBroken = is;
        });
      case "no login":
        return during(world, ms, (is) => {
          world.hasAccess = !is;
        });
      case "clock ahead":
        return world.setClock(ms);
      case "clock back":
        return world.setClock(-ms);
      case "replay":
        return void deliver(world, { ...rules, insists: true });
      case "news":
        for (let n = 0; n < 20; n += 1)
          world.at(world.now() + (n * ms) / 20, () => world.store.renew(some()));
        return;
      case "more":
        return void world.store.raise(1 + (ms % 15));
      case "more that is empty":
        return void world.store.raise(1 + (ms % 15), { isEmpty: true });
    }
  };
  for (const each of happenings)
    if ("at" in each.when) world.at(START + each.when.at, () => befalls(each));
    else world.onCommand(each.when.on, each.when.nth, () => befalls(each));
  return () => {
    for (const each of running) each.stop();
  };
}

function during(world: Simulation, ms: number, set: (is: boolean) => void): void {
  set(true);
  world.at(world.now() + ms, () => set(false));
}

describe("whatever the vendor does", () => {
  // The simulation itself refuses a second call for a contact that is in one, one for what is not claimed, one that begins
  // after its delivery was told to stop, and a delivery that ends with a claim.
  test("every push ends settled or due, no contact is in two calls at once, and no call begins after a stop, whatever happens to those who deliver", {
    timeout: TRIES_MS,
  }, () => {
    fc.assert(
      fc.property(
        seed,
        fc.array(mood, { maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 150 }), { maxLength: 3 }),
        fc.array(happening, { maxLength: 12, size: "max" }),
        fc.option(outage),
        fc.boolean(),
        (seed, moods, culprits, happenings, outage, hasWindow) => {
          const random = randomOf(seed);
          const world = simulate({ random });
          world.vendor = moodyVendor(world, moods, culprits);
          for (let n = 0; n < 150; n += 1) world.store.raise(1, anyHistory(random));
          world.store.raise(5, { isEmpty: true });
          world.store.outage = outage;
          for (let n = 0; n < 50; n += 1)
            world.at(START + Math.floor(random() * 30 * MINUTE), () =>
              world.store.renew(1 + Math.floor(random() * 150)),
            );
          const stop = twoServices(world, { hasWindow }, happenings);
          world.pass(3 * HOUR);
          stop();
          world.pass(5 * MINUTE);
          for (const { id, state, holder } of world.store.pushes.values()) {
            expect(holder).toBeNull();
            if (state === "pending") expect(culprits).toContain(id);
          }
        },
      ),
      tries(20),
    );
  });

  test("a culprit ends by itself, and everybody else arrives", { timeout: TRIES_MS }, () => {
    fc.assert(
      fc.property(
        seed,
        fc.uniqueArray(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 12 }),
        fc.boolean(),
        (seed, culprits, hasWindow) => {
          const random = randomOf(seed);
          const world = simulate({ random });
          world.vendor = moodyVendor(world, [], culprits);
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
      tries(20),
    );
  });
});

describe("new work", () => {
  test("never waits behind failing work longer than a window plus one call's timeout", {
    timeout: TRIES_MS,
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
          world.vendor = moodyVendor(world, [], culprits);
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
      tries(20),
    );
    expect(looked).toBeGreaterThan(200);
  });
});

describe("a degraded vendor", () => {
  test("is asked with one contact a tick at most, by all processes together, whoever is restarted or killed", {
    timeout: TRIES_MS,
  }, () => {
    let ticks = 0;
    fc.assert(
      fc.property(
        seed,
        fc.integer({ min: 1, max: 40 }),
        fc.array(
          fc.record({ minute: fc.integer({ min: 11, max: 50 }), end: fc.constantFrom("stop", "kill") }),
          { maxLength: 6 },
        ),
        (seed, contacts, restarts) => {
          const random = randomOf(seed);
          const world = simulate({ random });
          world.vendor = moodyVendor(world, [{ kind: "down", from: 0, minutes: 600, share: 1 }], []);
          world.store.raise(contacts + 1);
          let running = [serve(world), serve(world), serve(world)];
          for (const { minute, end } of restarts)
            world.at(START + minute * MINUTE, () => {
              running[0]?.[end]();
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
      tries(25),
    );
    expect(ticks).toBeGreaterThan(100);
  });
});

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
