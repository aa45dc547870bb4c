import { expect, test } from "vitest";
import { succeed, until } from "../world.ts";
import { askCandidates, connectedToBoth, inviteOf, requestsTo, writeBacksOf } from "./ats-world.ts";
import { logOf } from "./log.ts";
import { allDelivered, launchService } from "./program.ts";

const RESULTS = 1_000;
const SECOND = 1_000;

/** The most within one second, its end excluded. */
function mostWithinASecond(times: readonly number[]): number {
  let first = 0;
  return Math.max(
    ...times.map((at, index) => {
      while ((times[first] ?? at) <= at - SECOND) first += 1;
      return index - first + 1;
    }),
  );
}

test(`${RESULTS} results fill SmartRecruiters' rate of 100 calls a second and never overrun it`, async () => {
  const world = await connectedToBoth();
  const asked = await askCandidates(world, RESULTS);
  const startedAt = Date.now();
  const file = world.file(
    "completed.ndjson",
    asked.map((each) => inviteOf(each)),
  );
  await succeed(world, ["invites", "import", file]);
  await launchService(world);
  const log = logOf(world);
  const confirmed = "SELECT count(*) FROM confirmations WHERE state <> 'unmatched'";
  await until("every result is confirmed", () => log.count(confirmed) === RESULTS);
  await allDelivered(world);

  const calls = (await requestsTo(world)).filter(({ at }) => at > startedAt);
  expect(calls.filter(({ status }) => status === 429)).toEqual([]);
  expect(mostWithinASecond(calls.map(({ at }) => at))).toBeLessThanOrEqual(100);
  const writes = (await writeBacksOf(world)).map(({ at }) => at);
  expect(writes).toHaveLength(RESULTS);
  // Eleven seconds by itself; twice that with others at work on the machine.
  expect((writes.at(-1) ?? 0) - (writes[0] ?? 0)).toBeLessThan(22 * SECOND);
});
