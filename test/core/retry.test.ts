import { describe, expect, test } from "vitest";
import { MAX_TRIES, nextTry, RETRY_EVERY_MS } from "../../src/core/delivery/retry.ts";

const NOW = Date.UTC(2026, 10, 22, 12, 1);
const noJitter = () => 0;
const mostJitter = () => 1 - Number.EPSILON;

describe("the next try", () => {
  test("comes twice as late after each failure", () => {
    const delays = [1, 2, 3, 4, 5].map(
      (tries) => nextTry({ tries, now: NOW, notBefore: null, random: noJitter }) - NOW,
    );
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000]);
  });
  test("comes earlier by jitter, by half of the delay at most", () => {
    expect(nextTry({ tries: 3, now: NOW, notBefore: null, random: mostJitter })).toBe(NOW + 2_000);
    expect(nextTry({ tries: 3, now: NOW, notBefore: null, random: () => 0.5 })).toBe(NOW + 3_000);
  });
  test("never comes before the vendor allows it", () => {
    const notBefore = NOW + 10_000;
    expect(nextTry({ tries: 1, now: NOW, notBefore, random: noJitter })).toBe(notBefore);
    expect(nextTry({ tries: 5, now: NOW, notBefore, random: noJitter })).toBe(NOW + 16_000);
  });
  test.each([MAX_TRIES, MAX_TRIES + 1, 1_000])(
    "after %i failures is the retry queue's next tick",
    (tries) => {
      const tick = Date.UTC(2026, 10, 22, 12, 5);
      expect(nextTry({ tries, now: NOW, notBefore: null, random: noJitter })).toBe(tick);
      expect(nextTry({ tries, now: tick, notBefore: null, random: noJitter })).toBe(tick + RETRY_EVERY_MS);
    },
  );
  test("after the last failure waits for the vendor too", () => {
    const notBefore = NOW + 3_600_000;
    expect(nextTry({ tries: MAX_TRIES, now: NOW, notBefore, random: noJitter })).toBe(notBefore);
  });
  test("follows the configured distance of the ticks, up to a day", () => {
    const random = noJitter;
    expect(nextTry({ tries: 6, now: NOW, notBefore: null, random, retryEveryMs: 60_000 })).toBe(NOW + 60_000);
    const midnight = Date.UTC(2026, 10, 23);
    for (const hours of [24, 100]) {
      const retryEveryMs = hours * 3_600_000;
      expect(nextTry({ tries: 6, now: NOW, notBefore: null, random, retryEveryMs })).toBe(midnight);
    }
  });
});
