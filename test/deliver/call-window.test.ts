import { describe, expect, test } from "vitest";
import { createCallWindow } from "../../src/flows/deliver/call-window.ts";
import { type FakeClock, fakeClock } from "../fake-clock.ts";

const LIMIT = { calls: 3, windowMs: 10_000 };
/** One percent longer than the vendor's. */
const OUR_WINDOW = 10_100;
/** Nearly so long, once connections stand: a call that went a little late shall not delay the one in its place. */
const LATER_WINDOW = 10_090;
/** Between two calls, so that a window's do not all reach the vendor in one moment. */
const APART = 4;

describe("the window of one delivery's calls", () => {
  /** Asks for so many calls, which are answered at once; returns when each went, as far as it did. */
  function calls(clock: FakeClock, pace: ReturnType<typeof createCallWindow>, n: number) {
    const startedAt = clock.now();
    const stop = new AbortController();
    const went: number[] = [];
    const all = (async () => {
      for (let call = 0; call < n; call += 1) {
        const { ended } = await pace(stop.signal);
        ended();
        went.push(clock.now() - startedAt);
      }
    })();
    all.catch(() => {});
    return { went, all, stop };
  }

  test("lets a window's calls go one close behind the other, and the next ones as the first leave it", async () => {
    const clock = fakeClock();
    const { went } = calls(clock, createCallWindow(clock, LIMIT), 7);
    const burst = [0, APART, 2 * APART];
    await clock.advance(OUR_WINDOW - 1);
    expect(went).toEqual(burst);
    await clock.advance(1 + 2 * APART);
    expect(went).toEqual([...burst, ...burst.map((at) => at + OUR_WINDOW)]);
    await clock.advance(LATER_WINDOW);
    expect(went.at(-1)).toBe(OUR_WINDOW + LATER_WINDOW);
  });

  test("counts from the moment in which a call goes, however late after its place was counted", async () => {
    const clock = fakeClock();
    const pace = createCallWindow(clock, LIMIT);
    calls(clock, pace, 1);
    await clock.advance(4_000);
    const { went } = calls(clock, pace, 4);
    await clock.advance(OUR_WINDOW - 4_000);
    expect(went).toEqual([0, APART, OUR_WINDOW - 4_000]);
    await clock.advance(4_000);
    expect(went).toEqual([0, APART, OUR_WINDOW - 4_000, LATER_WINDOW]);
  });

  test("lets a call that went late be caught up with, where the places allow it", async () => {
    const clock = fakeClock();
    const pace = createCallWindow(clock, { ...LIMIT, calls: 1 });
    const startedAt = clock.now();
    const lateness: number[] = [];
    await clock.advance(35);
    for (let place = 0; place <= 5 * OUR_WINDOW; place += OUR_WINDOW) {
      const untilPlace = startedAt + place - clock.now();
      if (untilPlace > 0) await clock.advance(untilPlace);
      const going = calls(clock, pace, 1);
      await clock.advance(50);
      lateness.push(clock.now() - 50 + (going.went[0] ?? Number.NaN) - startedAt - place);
    }
    expect(lateness).toEqual([35, 35, 25, 15, 5, 0]);
  });

  test("never lets more go within any window, whoever asks for them at once", async () => {
    const clock = fakeClock();
    const pace = createCallWindow(clock, LIMIT);
    const askers = Array.from({ length: 4 }, () => calls(clock, pace, 3));
    await clock.advance(4 * OUR_WINDOW);
    const went = askers.flatMap((asker) => asker.went).toSorted((a, b) => a - b);
    expect(went).toHaveLength(12);
    const within = went.map((at) => went.filter((each) => each >= at && each < at + LATER_WINDOW).length);
    expect(Math.max(...within)).toBe(LIMIT.calls);
  });

  test("stops waiting with the signal's reason, and that call does not count", async () => {
    const clock = fakeClock();
    const pace = createCallWindow(clock, LIMIT);
    const first = calls(clock, pace, 4);
    await clock.advance(5_000);
    first.stop.abort(new Error("enough"));
    await expect(first.all).rejects.toThrow("enough");
    await clock.advance(OUR_WINDOW);
    const { went } = calls(clock, pace, 3);
    await clock.advance(2 * APART);
    expect(went).toEqual([0, APART, 2 * APART]);
  });

  test("without a limit keeps nobody waiting", async () => {
    const clock = fakeClock();
    const { went } = calls(clock, createCallWindow(clock, null), 1_000);
    await clock.advance(0);
    expect(went).toHaveLength(1_000);
  });

  describe("a call that took longer than the quickest", () => {
    const QUICKEST = 40;
    const signal = new AbortController().signal;

    /** One that was answered so late, behind a quick one; returns how long it kept its place. */
    async function placeOf(windowMs: number, { tookMs, from = 0 }: { tookMs: number | null; from?: number }) {
      const clock = fakeClock();
      const pace = createCallWindow(clock, { calls: 3, windowMs });
      const answered = async (ms: number) => {
        const { ended } = await pace(signal);
        await clock.advance(ms);
        ended();
      };
      await answered(QUICKEST);
      await clock.advance(from);
      await answered(QUICKEST);
      const sentAt = clock.now();
      if (tookMs === null) await pace(signal);
      else await answered(tookMs);
      const times: number[] = [];
      for (let n = 0; n < 3; n += 1)
        pace(signal).then(
          () => times.push(clock.now() - sentAt),
          () => {},
        );
      await clock.advance(3 * windowMs);
      return times[2];
    }

    test("counts as so much later among the first, since it may have reached the vendor only then", async () => {
      expect(await placeOf(10_000, { tookMs: QUICKEST + 300 })).toBe(10_300);
    });

    test("is covered by the margin when it was little", async () => {
      expect(await placeOf(10_000, { tookMs: QUICKEST + 100 })).toBe(OUR_WINDOW);
    });

    test("counts as no more than half a second late", async () => {
      expect(await placeOf(10_000, { tookMs: 2_000 })).toBe(10_500);
      expect(await placeOf(10_000, { tookMs: null })).toBe(10_500);
    });

    test("costs nothing once connections stand, so that a slow vendor costs no throughput", async () => {
      expect(await placeOf(10_000, { tookMs: 3_000, from: 2_000 })).toBe(LATER_WINDOW);
    });

    test("counts as later at any time in a window of a second", async () => {
      expect(await placeOf(1_000, { tookMs: QUICKEST + 300, from: 30_000 })).toBe(1_300);
      expect(await placeOf(1_000, { tookMs: QUICKEST, from: 30_000 })).toBe(1_100);
    });
  });
});
