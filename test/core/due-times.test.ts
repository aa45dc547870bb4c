import { describe, expect, test } from "vitest";
import { everyDue, hurriedDue, restingDue } from "../../src/core/due-times.ts";

const MINUTE_MS = 60_000;

describe("a job that is hurried", () => {
  test("is due at its own times, and once more within a second of the wish", () => {
    const { due, hurry } = hurriedDue(everyDue(MINUTE_MS));
    expect([due.last(90_000), due.next(90_000)]).toEqual([60_000, 120_000]);
    hurry(90_300);
    expect([due.last(90_300), due.next(90_300)]).toEqual([60_000, 91_000]);
    expect([due.last(91_000), due.next(91_000)]).toEqual([91_000, 120_000]);
    expect(due.last(120_000)).toBe(120_000);
  });

  test("is due once for all wishes that come before it begins", () => {
    const { due, hurry } = hurriedDue(everyDue(MINUTE_MS));
    for (const now of [90_100, 90_200, 90_900]) hurry(now);
    expect(due.last(95_000)).toBe(91_000);
    hurry(95_500);
    expect(due.next(95_500)).toBe(96_000);
    expect(due.last(96_000)).toBe(96_000);
  });

  test("is not put off by wishes that never end", () => {
    const { due, hurry } = hurriedDue(everyDue(MINUTE_MS));
    let began: number | null = null;
    for (let now = 90_000; now < 93_000 && began === null; now += 7) {
      hurry(now);
      if (due.last(now) > 60_000) began = now;
    }
    expect(began).toBeLessThan(91_010);
  });

  test("is not due for a wish of a clock that was ahead", () => {
    const { due, hurry } = hurriedDue(everyDue(MINUTE_MS));
    hurry(10 * MINUTE_MS);
    expect([due.last(90_000), due.next(90_000)]).toEqual([60_000, 120_000]);
    hurry(90_000);
    expect(due.next(90_000)).toBe(91_000);
  });
});

describe("a job that rests", () => {
  test("passes over its times until the rest ends", () => {
    const { due, rest } = restingDue(everyDue(MINUTE_MS));
    rest(60_500, 5 * MINUTE_MS);
    expect([due.last(60_500), due.next(60_500)]).toEqual([60_000, 300_000]);
    expect([due.last(299_999), due.next(299_999)]).toEqual([60_000, 300_000]);
    expect([due.last(300_000), due.next(300_000)]).toEqual([300_000, 360_000]);
  });

  test("is due at the first of its times after it was woken, and not for those it passed over", () => {
    const { due, rest, wake } = restingDue(everyDue(MINUTE_MS));
    rest(60_500, Number.POSITIVE_INFINITY);
    wake(150_000);
    expect([due.last(150_000), due.next(150_000)]).toEqual([60_000, 180_000]);
    expect([due.last(180_000), due.next(180_000)]).toEqual([180_000, 240_000]);
  });

  test("whose rest was over before it began has its own times", () => {
    const { due, rest } = restingDue(everyDue(MINUTE_MS));
    rest(60_500, 0);
    expect([due.last(120_000), due.next(120_000)]).toEqual([120_000, 180_000]);
  });

  test("goes on at once when the clock is set back, and when it was ahead for a moment", () => {
    const { due, rest } = restingDue(everyDue(MINUTE_MS));
    rest(100 * MINUTE_MS, 105 * MINUTE_MS);
    expect([due.last(3 * MINUTE_MS), due.next(3 * MINUTE_MS)]).toEqual([3 * MINUTE_MS, 4 * MINUTE_MS]);
  });

  test("and is hurried is due within a second of the wish", () => {
    const resting = restingDue(everyDue(MINUTE_MS));
    const { due, hurry } = hurriedDue(resting.due);
    resting.rest(60_500, Number.POSITIVE_INFINITY);
    hurry(90_300);
    expect([due.last(90_300), due.next(90_300)]).toEqual([60_000, 91_000]);
    expect(due.last(91_000)).toBe(91_000);
  });
});
