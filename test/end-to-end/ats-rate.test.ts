import { expect, test } from "vitest";
import { succeed, until } from "../world.ts";
import { askCandidates, connectedToBoth, inviteOf, requestsTo, writeBacksOf } from "./ats-world.ts";
import { logOf } from "./log.ts";
import { allDelivered, launchService } from "./program.ts";

const RESULTS = 1_000;
const SECOND = 1_000;
/** So many results in a row. */
const STRETCH = 100;

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
  await until("every result is confirmed", async () => (await log.count(confirmed)) === RESULTS);
  await allDelivered(world);

  const calls = (await requestsTo(world)).filter(({ at }) => at > startedAt);
  expect(calls.filter(({ status }) => status === 429)).toEqual([]);
  expect(mostWithinASecond(calls.map(({ at }) => at))).toBeLessThanOrEqual(100);
  const writes = (await writeBacksOf(world)).map(({ at }) => at);
  expect(writes).toHaveLength(RESULTS);
  // Eleven seconds by itself for all of them. What others do on the machine makes some stretches slower, hardly each.
  const stretches = writes.slice(STRETCH).map((at, index) => at - (writes[index] ?? 0));
  expect(Math.min(...stretches)).toBeLessThan((22 * SECOND * STRETCH) / RESULTS);
});
