import fc from "fast-check";
import { expect, test } from "vitest";
import { MINUTE, openStage, SECOND } from "./stage.ts";
import { anyOf, newsOf, quickMood, rollingWindow, scoresOf, UPSERT } from "./storm.ts";
import type { Fault } from "../emulated.ts";
import { attemptsOf } from "../store/looks.ts";

/** The storm in simulated time, which has room for what takes a minute, or a day. */
const PEOPLE = 1_200;
const ROUNDS = 16;
const DAY = 24 * 60 * MINUTE;

/** Our patience ends after this much real time, and simulated time waits for it. */
const TIMEOUT_MS = 100;
/** The vendor does the work, and nobody hears of it. */
const tooLate = { delayMs: MINUTE };
const DAILY = { status: 429, body: { policyName: "DAILY" } };

const slowMood: fc.Arbitrary<Fault> = fc.oneof(
  fc.constant(tooLate),
  fc.constantFrom(...rollingWindow),
  fc.constant({ status: 477, headers: { "retry-after": "300" } }),
);
const storm = fc.record({
  rounds: fc.array(
    fc.record({
      moods: fc.array(fc.tuple(fc.oneof(quickMood, slowMood), fc.integer({ min: 1, max: 3 })), {
        maxLength: 3,
      }),
      passMs: fc.integer({ min: 0, max: 40 * SECOND }),
      isRestarted: fc.boolean(),
    }),
    { minLength: ROUNDS, maxLength: ROUNDS },
  ),
  /** When all that takes its time comes in a row. */
  hardestIn: fc.nat(ROUNDS - 1),
});

test("in the end every contact holds exactly what it shall, also what the vendor did after our patience had ended", async () => {
  const { rounds, hardestIn } = anyOf(storm);
  const stage = await openStage({ timeoutMs: TIMEOUT_MS, vendorLimit: "100/10s" });
  const news = newsOf(PEOPLE, ROUNDS);
  let process = await stage.start();
  for (const [index, { moods, passMs, isRestarted }] of rounds.entries()) {
    if (index === hardestIn) {
      await stage.clearFaults();
      for (const fault of [tooLate, ...rollingWindow, DAILY])
        await stage.fault({ ...fault, times: 1, path: UPSERT });
    }
    for (const [fault, times] of moods) await stage.fault({ ...fault, times, path: UPSERT });
    await stage.take(...(news[index] ?? []).map(({ event }) => event));
    await stage.pass(passMs);
    if (isRestarted) {
      await stage.through(process.stop());
      process = await stage.start();
    }
  }
  await stage.until("all is settled", async () => (await stage.counts()).pending === 0, 3 * DAY);
  expect(await stage.counts()).toMatchObject({ delivered: PEOPLE, pending: 0, rejected: 0, held: 0 });
  const tries = await attemptsOf(process.store, { org: "acme", outcome: "retry", limit: 100_000 });
  for (const words of ["timed out", "TEN_SECONDLY_ROLLING", "DAILY"])
    expect(tries.some(({ reason }) => reason?.includes(words))).toBe(true);
  expect(stage.problems).toEqual([]);
  const scores = [...(await stage.contacts())].map(([email, held]) => [email, held.jc_disc_d]);
  expect(Object.fromEntries(scores)).toEqual(scoresOf(news));
});
