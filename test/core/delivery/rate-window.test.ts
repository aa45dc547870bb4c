/** The rate window beside a network that delays each call as it likes, and a vendor that counts what arrives. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AHEAD_MS, type CountedSlot, takeSlot, windowOf } from "../../../src/core/delivery/rate-window.ts";
import { createAgenda } from "./simulated-store.ts";
import { TRIES_MS, tries } from "../../tries.ts";

const SECOND = 1_000;
const HUBSPOT = { calls: 100, windowMs: 10 * SECOND };
const SMARTRECRUITERS = { calls: 100, windowMs: SECOND };

type Limit = typeof HUBSPOT;
/** How long a call takes on one of its two ways, at that time of the run. */
type Delay = (at: number) => number;
/** From when on a slot counts, by what its process knows of the call in it. */
type Bound = (call: { sentAt: number; answeredAt: number; quickestMs: number }) => number;

interface Run {
  limit: Limit;
  delay: Delay;
  /** From when on each process has calls to make; all go on to the end. */
  joinAt: readonly number[];
  calls: number;
  bound?: Bound;
  /** How much older a request for a slot is than the moment in which the store comes to it. */
  waits?: Delay;
}

const byAnswer: Bound = ({ answeredAt }) => answeredAt;

/** When each call arrived at the vendor. */
function arrivals({ limit, delay, joinAt, calls, bound = byAnswer, waits = () => 0 }: Run): number[] {
  const { now, at, pass } = createAgenda(0);
  const window = { calls: limit.calls, windowMs: windowOf(limit), aheadMs: AHEAD_MS };
  let slots: CountedSlot[] = [];
  let [left, quickestMs] = [calls, Number.POSITIVE_INFINITY];
  const arrived: number[] = [];
  const send = (slot: CountedSlot) => {
    const sentAt = now();
    const arrivesAt = sentAt + delay(sentAt);
    at(arrivesAt, () => {
      arrived.push(arrivesAt);
      at(arrivesAt + delay(arrivesAt), () => {
        quickestMs = Math.min(quickestMs, now() - sentAt);
        Object.assign(slot, { isOpen: false, since: bound({ sentAt, answeredAt: now(), quickestMs }) });
      });
    });
  };
  const ask = () => {
    if (left === 0) return;
    const decision = takeSlot(slots, window, Math.max(0, now() - waits(now())));
    slots = decision.kept;
    if (!decision.isTaken) return at(Math.max(now() + 1, decision.at - AHEAD_MS), ask);
    left -= 1;
    const slot = { isOpen: true, since: decision.at };
    slots.push(slot);
    at(Math.max(now(), decision.at), () => send(slot));
    at(now(), ask);
  };
  for (const joinsAt of joinAt) at(joinsAt, ask);
  pass(60 * 60 * SECOND);
  if (arrived.length < calls) throw new Error("calls are left over");
  return arrived.toSorted((a, b) => a - b);
}

/** How many calls arrived in a window that was full already. */
function overruns(times: readonly number[], { calls, windowMs }: Limit): number {
  return times.filter((at, index) => at - (times[index - calls] ?? Number.NEGATIVE_INFINITY) < windowMs)
    .length;
}

/** Against the least time that so many calls take. */
function costOf(times: readonly number[], { calls, windowMs }: Limit): number {
  const took = (times.at(-1) ?? 0) - (times[0] ?? 0);
  return took / ((Math.ceil(times.length / calls) - 1) * windowMs);
}

/** The same numbers again for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}

const between = (random: () => number, least: number, most: number) => least + random() * (most - least);

/** From one span of time to the next the network is another one. */
const network = fc.record({
  seed: fc.integer(),
  spans: fc.array(
    fc.record({
      ms: fc.integer({ min: 50, max: 15_000 }),
      least: fc.integer({ min: 0, max: 400 }),
      spread: fc.integer({ min: 0, max: 3_000 }),
    }),
    { minLength: 1, maxLength: 8 },
  ),
});

function delayOf({ seed, spans }: typeof network extends fc.Arbitrary<infer Value> ? Value : never): Delay {
  const random = randomOf(seed);
  const whole = spans.reduce((sum, { ms }) => sum + ms, 0);
  return (at) => {
    let endsAt = at - (at % whole);
    const span = spans.find(({ ms }) => {
      endsAt += ms;
      return at < endsAt;
    }) ?? { least: 0, spread: 0 };
    return Math.floor(between(random, span.least, span.least + span.spread));
  };
}

describe("the rate window", () => {
  test(
    "is never overrun at the vendor, however delays fall and rise, by however many processes",
    () => {
      fc.assert(
        fc.property(
          network,
          fc.constantFrom(HUBSPOT, SMARTRECRUITERS),
          fc.array(fc.integer({ min: 0, max: 12_000 }), { minLength: 1, maxLength: 4 }),
          (net, limit, joinAt) => {
            const times = arrivals({ limit, delay: delayOf(net), joinAt, calls: 450 });
            expect(overruns(times, limit)).toBe(0);
          },
        ),
        tries(150),
      );
    },
    TRIES_MS,
  );

  test(
    "is never overrun where the store comes late to those who ask, in whatever order",
    () => {
      fc.assert(
        fc.property(network, fc.constantFrom(HUBSPOT, SMARTRECRUITERS), fc.integer(), (net, limit, seed) => {
          const random = randomOf(seed);
          const waits = () => (random() < 0.3 ? Math.floor(between(random, 0, 1_500)) : 0);
          const times = arrivals({ limit, delay: delayOf(net), joinAt: [0, 500], calls: 450, waits });
          expect(overruns(times, limit)).toBe(0);
        }),
        tries(150),
      );
    },
    TRIES_MS,
  );

  test.each([
    [20, 250, 1.03],
    [0, 20, 1.003],
  ])(
    "costs %i to %i ms of delay each way no more than a factor of %f",
    (least, most, goal) => {
      const random = randomOf(7);
      const delay = () => Math.round(between(random, least, most));
      const times = arrivals({ limit: HUBSPOT, delay, joinAt: [0, 3_000], calls: 10_000 });
      expect(overruns(times, HUBSPOT)).toBe(0);
      expect(Math.round(costOf(times, HUBSPOT) * 1_000) / 1_000).toBeLessThanOrEqual(goal);
    },
    TRIES_MS,
  );

  describe("counted otherwise is overrun, as this simulation shows", () => {
    const slowAtFirst = () => {
      const random = randomOf(7);
      return (at: number) => Math.round(at < 3_000 ? between(random, 500, 1_500) : between(random, 0, 20));
    };
    test.each<[string, Bound]>([
      ["by the going of calls", ({ sentAt }) => sentAt],
      [
        "by their answers, less the quickest one's time",
        ({ answeredAt, quickestMs }) => answeredAt - quickestMs,
      ],
    ])("%s", (_, bound) => {
      const run = { limit: HUBSPOT, joinAt: [0], calls: 1_000 };
      expect(overruns(arrivals({ ...run, delay: slowAtFirst(), bound }), HUBSPOT)).toBeGreaterThan(0);
      expect(overruns(arrivals({ ...run, delay: slowAtFirst() }), HUBSPOT)).toBe(0);
    });
  });
});
