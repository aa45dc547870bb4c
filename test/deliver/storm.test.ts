import fc from "fast-check";
import * as v from "valibot";
import { expect, test } from "vitest";
import { type Fleet, launchFleet } from "../end-to-end/fleet.ts";
import { describeInEachPlace } from "../end-to-end/places.ts";
import { connected, importResults, invite, succeed, until, type World } from "../world.ts";
import { anyOf, newsOf, quickMood, rollingWindow, scoresOf, UPSERT } from "./storm.ts";

/** A vendor in all its moods, and services that are killed again and again: the built program, in real time. */
const TICK_MS = 1_000;

function stormOf(services: number, rounds: number) {
  const round = fc.record({
    moods: fc.array(quickMood, { minLength: 1, maxLength: 3 }),
    end: fc.constantFrom("nothing", "SIGKILL", "SIGKILL", "SIGTERM"),
    service: fc.nat(services - 1),
  });
  return fc.record({
    rounds: fc.array(round, { minLength: rounds, maxLength: rounds }),
    /** Where the rolling window is hit. Each costs ten seconds. */
    rollingIn: fc.shuffledSubarray(
      Array.from({ length: rounds }, (_, index) => index),
      { minLength: rollingWindow.length, maxLength: rollingWindow.length },
    ),
  });
}

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

async function endAndStart(fleet: Fleet, service: number, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
  await fleet.end(service, signal);
  await fleet.start(service);
}

const Attempts = v.object({ attempts: v.array(v.object({ at: v.string() })) });

describeInEachPlace((place) => {
  const [people, parts] = place.sized([5_000, 8], [1_500, 4]);

  test("in the end every contact holds exactly what it shall, whatever the vendor and the services went through", async () => {
    const { rounds, rollingIn } = anyOf(stormOf(place.services, parts));
    const world = await connected({
      env: { ...(await place.environment()), JC_SCHEDULE_RETRY_EVERY: "1s" },
    });
    const fleet = await launchFleet(place, world);
    const news = newsOf(people, parts);
    for (const [index, { moods, end, service }] of rounds.entries()) {
      const rolling = rollingWindow.filter((_, which) => rollingIn[which] === index);
      for (const fault of [...moods, ...rolling])
        await world.portal.fault({ ...fault, times: 1, path: UPSERT });
      await importResults(
        world,
        (news[index] ?? []).map(({ event }) => event),
      );
      const before = (await writesTo(world)).length;
      await until("the vendor is called", async () => (await writesTo(world)).length > before);
      if (end !== "nothing") await endAndStart(fleet, service, end);
    }
    await world.portal.clearFaults();
    await allDelivered(world, people);
    const scores = Object.entries(await world.portal.contacts()).map(([email, held]) => [
      email,
      held.jc_disc_d,
    ]);
    expect(Object.fromEntries(scores)).toEqual(scoresOf(news));
  });

  test("a vendor that stays down is asked with one contact once a tick, also by a service that was killed", async () => {
    const world = await connected({
      env: { ...(await place.environment()), JC_SCHEDULE_RETRY_EVERY: "1s" },
    });
    const fleet = await launchFleet(place, world);
    await world.portal.fault({ status: 503, path: UPSERT });
    await importResults(
      world,
      Array.from({ length: 30 }, () => invite()),
    );
    await until("it is degraded", async () => (await statusOf(world)).banner?.includes("fails"));
    const degradedAt = Date.now();
    await endAndStart(fleet, 0, "SIGKILL");
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
});
