/** What a service looks at again and again, on one timer. */
import { expect, test } from "vitest";
import { createRounds, type Look } from "../../src/daemon/rounds.ts";
import { until } from "../world.ts";

test("a look that takes its time holds up no other, and is not begun again before it is over", async () => {
  const stop = new AbortController();
  const slow = later();
  const looks = { slow: 0, quick: 0 };
  const running = restless(
    [
      () => {
        looks.slow += 1;
        return slow.promise;
      },
      () => {
        looks.quick += 1;
      },
    ],
    stop.signal,
  );
  await until("others go on", () => looks.quick >= 3);
  expect(looks.slow).toBe(1);
  slow.resolve();
  await until("it is begun again", () => looks.slow >= 2);
  stop.abort();
  await running;
});

test("the end waits for what is under way", async () => {
  const stop = new AbortController();
  const slow = later();
  let isOver = false;
  const running = restless([() => slow.promise], stop.signal).then(() => {
    isOver = true;
  });
  stop.abort();
  await new Promise(setImmediate);
  expect(isOver).toBe(false);
  slow.resolve();
  await running;
});

test.each([
  ["at once", () => Promise.reject(new Error("broken"))],
  [
    "before it has begun to wait",
    () => {
      throw new Error("broken");
    },
  ],
])("what a look throws %s ends all of them", async (_, look) => {
  await expect(restless([look, async () => {}], new AbortController().signal)).rejects.toThrow("broken");
});

test("while all is calm rounds are rare, and whoever hears of a change has the next one made within a second", async () => {
  const stop = new AbortController();
  const rounds = createRounds();
  let seconds = 0;
  /** In which second each was made. */
  const calm: number[] = [];
  const running = [
    rounds.run({ all: [() => void calm.push(seconds)], isCalm: () => true }, stop.signal),
    restless(
      [
        () => {
          seconds += 1;
        },
      ],
      stop.signal,
    ),
  ];
  await until("seconds pass", () => seconds >= 4);
  expect(calm).toHaveLength(1);
  const heard = seconds;
  rounds.soon();
  rounds.soon();
  await until("it is looked", () => calm.length === 2);
  expect(calm[1]).toBeLessThanOrEqual(heard + 1);
  const before = seconds;
  await until("seconds pass", () => seconds >= before + 3);
  expect(calm).toHaveLength(2);
  stop.abort();
  await Promise.all(running);
});

test.each([
  ["a look itself", (called: Look) => [called]],
  ["what a look waits for", (called: Look) => [async () => called(0)]],
])("%s may call for the next round", async (_, looksOf) => {
  const stop = new AbortController();
  const rounds = createRounds();
  let looks = 0;
  const called = () => {
    looks += 1;
    if (looks < 3) rounds.soon();
  };
  const running = rounds.run({ all: looksOf(called), isCalm: () => true }, stop.signal);
  await until("it has looked three times", () => looks === 3);
  stop.abort();
  await running;
});

test("what a look finds out in its time ends the calm", async () => {
  const stop = new AbortController();
  const slow = later();
  let isCalm = true;
  let looks = 0;
  const look = async () => {
    looks += 1;
    await slow.promise;
    isCalm = looks > 2;
  };
  const running = createRounds().run({ all: [look], isCalm: () => isCalm }, stop.signal);
  slow.resolve();
  await until("it looks again", () => looks === 3);
  stop.abort();
  await running;
});

/** Rounds where somebody always waits for the next one. */
function restless(all: readonly Look[], signal: AbortSignal): Promise<void> {
  return createRounds().run({ all, isCalm: () => false }, signal);
}

function later() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve: () => resolve() };
}
