import fc from "fast-check";
import * as v from "valibot";
import { expect, test } from "vitest";
import { launchService, type Service } from "../end-to-end/program.ts";
import { connected, importResults, invite, succeed, until, type World } from "../world.ts";
import { anyOf, newsOf, quickMood, rollingWindow, scoresOf, UPSERT } from "./storm.ts";

/** A vendor in all its moods, and a service that is killed again and again: the built program, in real time. */
const PEOPLE = 5_000;
const ROUNDS = 8;
const TICK_MS = 1_000;

const round = fc.record({
  moods: fc.array(quickMood, { minLength: 1, maxLength: 3 }),
  end: fc.constantFrom("nothing", "SIGKILL", "SIGKILL", "SIGTERM"),
});
const storm = fc.record({
  rounds: fc.array(round, { minLength: ROUNDS, maxLength: ROUNDS }),
  /** Where the rolling window is hit. Each costs ten seconds. */
  rollingIn: fc.shuffledSubarray(
    Array.from({ length: ROUNDS }, (_, index) => index),
    { minLength: rollingWindow.length, maxLength: rollingWindow.length },
  ),
});

/** When contacts were written, or tried to be. */
async function writesTo({ portal }: World): Promise<number[]> {
  return (await portal.requests({ to: UPSERT })).map(({ at }) => at);
}

const Status = v.object({
  connections: v.tuple([v.object({ banner: v.nullable(v.string()) })]),
  pushes: v.object({ pending: v.number(), delivered: v.number(), rejected: v.number(), held: v.number() }),
});

async function statusOf(world: World) {
  const { connections, pushes } = v.parse(Status, (await world.run(["status", "--json"])).json);
  return { banner: connections[0].banner, pushes };
}

async function allDelivered(world: World, n: number): Promise<void> {
  await until("all is delivered", async () => (await statusOf(world)).pushes.pending === 0);
  expect(await statusOf(world)).toEqual({
    banner: null,
    pushes: { pending: 0, delivered: n, rejected: 0, held: 0 },
  });
}

async function endAndStart(world: World, service: Service, signal: "SIGKILL" | "SIGTERM"): Promise<Service> {
  service.child.kill(signal);
  await service.ended;
  return await launchService(world);
}

test("in the end every contact holds exactly what it shall, whatever the vendor and the service went through", async () => {
  const { rounds, rollingIn } = anyOf(storm);
  const world = await connected({ env: { JC_SCHEDULE_RETRY_EVERY: "1s" } });
  let service = await launchService(world);
  const news = newsOf(PEOPLE, ROUNDS);
  for (const [index, { moods, end }] of rounds.entries()) {
    const rolling = rollingWindow.filter((_, which) => rollingIn[which] === index);
    for (const fault of [...moods, ...rolling])
      await world.portal.fault({ ...fault, times: 1, path: UPSERT });
    await importResults(
      world,
      (news[index] ?? []).map(({ event }) => event),
    );
    const before = (await writesTo(world)).length;
    await until("the vendor is called", async () => (await writesTo(world)).length > before);
    if (end !== "nothing") service = await endAndStart(world, service, end);
  }
  await world.portal.clearFaults();
  await allDelivered(world, PEOPLE);
  const scores = Object.entries(await world.portal.contacts()).map(([email, held]) => [
    email,
    held.jc_disc_d,
  ]);
  expect(Object.fromEntries(scores)).toEqual(scoresOf(news));
});

const Attempts = v.object({ attempts: v.array(v.object({ at: v.string() })) });

test("a vendor that stays down is asked with one contact once a tick, also by a service that was killed", async () => {
  const world = await connected({ env: { JC_SCHEDULE_RETRY_EVERY: "1s" } });
  const service = await launchService(world);
  await world.portal.fault({ status: 503, path: UPSERT });
  await importResults(
    world,
    Array.from({ length: 30 }, () => invite()),
  );
  await until("it is degraded", async () => (await statusOf(world)).banner?.includes("fails"));
  const degradedAt = Date.now();
  await endAndStart(world, service, "SIGKILL");
  await until("three ticks pass", () => Date.now() > degradedAt + 3 * TICK_MS);
  const probesOf = async () => (await writesTo(world)).filter((at) => at > degradedAt);
  await until("it is probed", async () => (await probesOf()).length > 0);
  const probes = await probesOf();
  // The tick in which it was seen may have its probe still to come.
  const ticks = Math.floor(Date.now() / TICK_MS) - Math.floor(degradedAt / TICK_MS) + 1;
  expect(probes.length).toBeLessThanOrEqual(ticks);

  const since = new Date(degradedAt).toISOString();
  const logs = await succeed(world, ["logs", "--since", since, "--limit", "1000", "--json"]);
  const times = v.parse(Attempts, logs.json).attempts.map(({ at }) => at);
  expect(times.length).toBeGreaterThan(0);
  // Those of one call have one time.
  expect(new Set(times).size).toBe(times.length);

  await world.portal.clearFaults();
  await allDelivered(world, 30);
});
