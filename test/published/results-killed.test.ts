import { expect, test } from "vitest";
import { allDelivered, launchService, sendUntilTaken } from "../end-to-end/program.ts";
import { disc, ORG, succeed, until } from "../world.ts";
import { apply, completed, resultsOf } from "./company.ts";
import { publishedWorld, VENDOR } from "./world.ts";

/** `.ci/long` asks for more. */
const RESULTS = Number(process.env.JC_TEST_RESULTS ?? 40);
const KILLED_AT_NOTES = [RESULTS * 0.25, RESULTS * 0.6].map(Math.round);
const PER_SECOND = 100;
/** The vendor takes so many calls at once. */
const AT_ONCE = 8;

test(`${RESULTS} results, each told twice and changed once, reach their applications through kills and a vendor that fails now and then`, async () => {
  const world = await publishedWorld({
    env: { JC_SCHEDULE_RETRY_EVERY: "1s" },
    config: `calls_per_second = ${PER_SECOND}\n`,
  });
  await succeed(world, ["connect", VENDOR]);
  const secretOfOrg = ["secrets", "set", "smartrecruiters.webhook-secret", "--org", ORG];
  await succeed(world, secretOfOrg, "a-secret-that-no-webhook-of-this-test-is-signed-with");
  await world.set({ endpointLimit: PER_SECOND });
  const people = Array.from({ length: RESULTS }, (_, n) => `person.${n}@example.org`);
  const applications = await Promise.all(people.map((email) => apply(world, { email })));
  await world.smartrecruiters.fault({ status: 503, times: 5, method: "PUT" });
  await world.smartrecruiters.fault({ status: 429, times: 5, path: "/messages" });
  await world.smartrecruiters.fault({ drop: true, times: 3, path: "/messages" });
  let service = await launchService(world);
  const { JC_SERVE_PUBLIC_URL: url = "" } = world.env;
  const notesNow = async () => (await resultsOf(world)).reduce((sum, { notes }) => sum + notes.length, 0);

  const tell = (score: number, at: string) =>
    Promise.all(
      applications.map(async (of, n) => {
        const tests = [disc([score, n % 100, 50, 50])];
        const event = completed(`inv_${n}`, { email: people[n] ?? "", of, tests, at });
        const id = `msg_${n}_${score}`;
        await sendUntilTaken(url, event, id);
        await sendUntilTaken(url, event, id);
      }),
    );
  const telling = tell(10, "2024-05-15T10:15:00Z");
  for (const n of KILLED_AT_NOTES) {
    await until(`${n} notes are written`, async () => (await notesNow()) >= n);
    service.child.kill("SIGKILL");
    expect(await service.ended).toMatchObject({ signal: "SIGKILL" });
    service = await launchService(world);
  }
  await telling;
  await allDelivered(world);
  await tell(90, "2024-05-16T10:15:00Z");
  await allDelivered(world);

  const results = await resultsOf(world);
  expect(results.map(({ properties }) => [properties.jc_disc_d, properties.jc_disc_i])).toEqual(
    results.map((_, n) => [90, n % 100]),
  );
  const notes = results.flatMap((each) => each.notes);
  // Each result has its note and the one that replaces it; a crash, or an answer that was lost, may repeat one.
  for (const each of results) {
    expect(each.notes.length).toBeGreaterThanOrEqual(2);
    expect(each.notes.at(-1)?.content).toContain("Dominance 90");
    expect(each.notes.at(-1)?.content).toContain("This replaces the note of ");
  }
  const repeated = notes.length - new Set(notes.map(({ correlationId }) => correlationId)).size;
  expect(repeated).toBeLessThanOrEqual(KILLED_AT_NOTES.length * AT_ONCE + 3);
}, 600_000);
