/** Thin events at a pace, with duplicates, disorder, a service that is killed, and 429s in between. */
import * as v from "valibot";
import { expect, test } from "vitest";
import { logOf } from "../end-to-end/log.ts";
import { launchService } from "../end-to-end/program.ts";
import { succeed, until } from "../world.ts";
import { APP, companyOf, publishedWorld, VENDOR } from "./world.ts";

/** Half of them somebody's application, half its move to the stage that asks for a test. */
const EVENTS = Number(process.env.JC_TEST_THIN_EVENTS ?? 600);
const APPLICATIONS = EVENTS / 2;
const PER_SECOND = 200;
const REFUSED = 5;
const KILLS = 2;
const STAGE = "IN_REVIEW/Assessment";
const LONGEST_MS = 60_000 + EVENTS * 60;

const Wish = v.object({ candidate_id: v.string(), job_id: v.string() });

test(
  `${EVENTS} thin events are each taken once and asked about once, whatever comes in between`,
  async () => {
    const world = await publishedWorld({ config: `calls_per_second = ${PER_SECOND}\n` });
    await world.set({
      ...{ endpointLimit: PER_SECOND, copies: 2 },
      redeliverMs: Array.from({ length: 40 }, () => 300),
    });
    await succeed(world, ["connect", VENDOR]);
    let service = await launchService(world);
    await succeed(world, ["webhooks", "subscribe"]);
    const set = ["catalog", "set", "--job", "j1", "--stage", STAGE, "--test", "disc", "--trigger", "auto"];
    await succeed(world, set);
    const log = logOf(world);
    const stored = () => log.count("SELECT count(*) FROM events");
    const open = () => log.count("SELECT count(*) FROM questions");

    const sending = sendAll(world);
    for (let kill = 1; kill <= KILLS; kill += 1) {
      await until("some are stored", async () => (await stored()) >= (EVENTS * kill) / (KILLS + 2));
      service.child.kill("SIGKILL");
      await service.ended;
      service = await launchService(world);
      const refused = { status: 429, method: "GET", path: "/candidates/", times: REFUSED };
      await world.smartrecruiters.fault(refused);
    }
    await sending;
    await until(
      "all are stored and asked about",
      async () => (await stored()) === EVENTS && (await open()) === 0,
      LONGEST_MS,
    );

    expect(
      await log.count("SELECT count(*) FROM (SELECT 1 FROM events GROUP BY event_id HAVING count(*) > 1)"),
    ).toBe(0);
    const asked = (await world.smartrecruiters.requests()).filter(
      ({ method, path }) => method === "GET" && /^\/candidates\/[^/]+\/jobs\/[^/]+$/.test(path),
    );
    const refused = asked.filter(({ status }) => status === 429).length;
    // Our own pace met none of the vendor's limits.
    expect(refused).toBeLessThanOrEqual(KILLS * REFUSED);
    // A kill costs the calls that were under way, at most 8, and what they asked is asked again.
    expect(asked.length).toBeLessThanOrEqual(EVENTS + refused + KILLS * 8);
    const answers = new Map<string, number>();
    for (const { path, status } of asked) if (status === 200) answers.set(path, (answers.get(path) ?? 0) + 1);
    expect(answers.size).toBe(APPLICATIONS);
    for (const answered of answers.values()) {
      // Two events of one application: each once, and once more for each kill.
      expect(answered).toBeGreaterThanOrEqual(2);
      expect(answered).toBeLessThanOrEqual(2 * (1 + KILLS));
    }
    expect((await companyOf(world)).mostAtOnce).toBeLessThanOrEqual(8);

    // Each application in the stage asks for its test once, whichever of its events was taken first.
    const wishes = await log.rows(Wish, WISHES);
    expect(wishes).toHaveLength(APPLICATIONS);
    expect(new Set(wishes.map(({ candidate_id }) => candidate_id)).size).toBe(APPLICATIONS);
    service.child.kill("SIGTERM");
    await service.ended;
  },
  LONGEST_MS * 2,
);

const WISHES = "SELECT candidate_id, job_id FROM invite_requests";

/** 200 a second: an application, and soon after its move. */
async function sendAll(world: Awaited<ReturnType<typeof publishedWorld>>): Promise<void> {
  const Application = v.object({ applicationId: v.string() });
  const startedAt = performance.now();
  const moves: Promise<unknown>[] = [];
  for (let n = 0; n < APPLICATIONS; n += 1) {
    const dueMs = (n * 2_000) / PER_SECOND - (performance.now() - startedAt);
    if (dueMs > 0) await world.clock.sleep(dueMs);
    const told = await world.smartrecruiters.do("/applications", {
      ...{ clientId: APP, email: `ann-${n}@example.com`, jobId: "j1" },
    });
    const { applicationId } = v.parse(Application, told);
    const to = { applicationId, status: "IN_REVIEW", subStatus: "Assessment" };
    moves.push(world.smartrecruiters.do("/applications/move", to));
  }
  await Promise.all(moves);
}
