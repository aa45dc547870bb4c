import { userInfo } from "node:os";
import { describe, expect, test } from "vitest";
import { serving } from "../daemon/serving.ts";
import {
  connect,
  connected,
  freshWorld,
  importResults,
  invite,
  succeed,
  until,
  type World,
} from "../world.ts";
import { delivered, pushesOf, REFUSED, report, runsOf } from "./commands.ts";

const RESULTS = 3;
const BACKFILL = ["backfill"];
const REPLAY = ["replay", "--status", "rejected"];

/** A log from before the portal was connected. */
async function unsent(n = RESULTS): Promise<World> {
  const world = await freshWorld();
  const events = Array.from({ length: n }, () => invite());
  await importResults(world, events);
  await connect(world);
  return world;
}

async function refused(): Promise<World> {
  const world = await connected();
  await world.portal.fault(REFUSED);
  const events = Array.from({ length: RESULTS }, () => invite());
  await importResults(world, events);
  expect(await world.run(["run", "retry"])).toMatchObject({ code: 7 });
  await world.portal.clearFaults();
  return world;
}

/** Cuts the command off while its first call is under way, which is answered so much later. */
async function cutWhileDelivering(world: World, argv: readonly string[], delayMs: number): Promise<void> {
  await world.portal.fault({ delayMs, path: "/crm/v3/objects", times: 1 });
  const before = (await world.portal.upserts()).length;
  const first = world.start([...argv, "--yes"]);
  await until("the call is under way", async () => (await world.portal.upserts()).length > before);
  expect(await first.stop()).toMatchObject({ code: 130, err: expect.stringContaining("this command again") });
  expect(await pushesOf(world)).toMatchObject({ pending: RESULTS });
}

const COMMANDS = [
  ["backfill", BACKFILL, unsent],
  ["replay --status rejected", REPLAY, refused],
] as const;

describe.each(COMMANDS)("%s cut off while it delivers", (_name, argv, prepare) => {
  test("and typed again where no service runs, delivers what the first one left", async () => {
    const world = await prepare();
    await cutWhileDelivering(world, argv, 60_000);
    const preview = await world.run(argv);
    expect(preview).toMatchObject({
      code: 0,
      out: expect.stringContaining("Of these, 3 wait already."),
    });
    expect(await pushesOf(world)).toMatchObject({ pending: RESULTS });
    const again = await world.run([...argv, "--yes", "--json"]);
    expect(again).toMatchObject({ code: 0, json: report({ matched: RESULTS, delivered: RESULTS }) });
    expect(await pushesOf(world)).toMatchObject({ pending: 0, delivered: RESULTS, rejected: 0 });
    expect(Object.keys(await world.portal.contacts())).toHaveLength(RESULTS);
  });

  test("and typed again where a service runs, watches it through", async () => {
    const world = await prepare();
    await serving(world);
    await cutWhileDelivering(world, argv, 3_000);
    const again = await world.run([...argv, "--yes"]);
    expect(again).toMatchObject({
      code: 0,
      out: expect.stringContaining("3 results matched, 0 queued, 3 waited already: 3 delivered"),
    });
    expect(await pushesOf(world)).toMatchObject({ pending: 0, delivered: RESULTS });
  });

  test("says what became of the rest: the vendor's no to it is a 7", async () => {
    const world = await prepare();
    await cutWhileDelivering(world, argv, 60_000);
    await world.portal.fault(REFUSED);
    const again = await world.run([...argv, "--yes", "--json"]);
    expect(again).toMatchObject({ code: 7, json: report({ matched: RESULTS, rejected: RESULTS }) });
  });

  test("is only queued with --detach, and seen through without", async () => {
    const world = await prepare();
    const queued = await world.run([...argv, "--detach", "--yes", "--json"]);
    expect(queued).toMatchObject({ code: 0, json: report({ matched: RESULTS, queued: RESULTS }) });
    const twice = await world.run([...argv, "--detach", "--yes", "--json"]);
    expect(twice).toMatchObject({ code: 0, json: report({ matched: RESULTS }) });
    const watched = await world.run([...argv, "--yes", "--json"]);
    expect(watched).toMatchObject({ code: 0, json: report({ matched: RESULTS, delivered: RESULTS }) });
    const last = await world.run([...argv, "--yes", "--json"]);
    expect(last).toMatchObject({ code: 0, json: report({}) });
  });
});

describe("a run that was cut off", () => {
  test("with --limit and typed again sends no more than one that was not", async () => {
    const world = await unsent(5);
    await succeed(world, ["backfill", "--limit", "2", "--detach", "--yes"]);
    const again = await world.run(["backfill", "--limit", "2", "--yes", "--json"]);
    expect(again).toMatchObject({ code: 0, json: report({ matched: 5, delivered: 2 }) });
    expect(Object.keys(await world.portal.contacts())).toHaveLength(2);
  });

  test("while it queues has its counts kept, and who typed it", async () => {
    const { world } = await delivered(250);
    const first = world.start(["replay", "--vendor", "hubspot", "--rate", "10", "--yes"], {
      env: { SUDO_USER: "alice" },
    });
    await until("some are queued", async () => ((await pushesOf(world)).pending ?? 0) > 0);
    expect(await first.stop()).toMatchObject({ code: 130 });
    const { pending } = await pushesOf(world);
    const [run] = await runsOf(world);
    expect(run).toMatchObject({
      who: `alice as ${userInfo().username}`,
      counts: { matched: 250, queued: pending, delivered: 0 },
      endedAt: null,
    });
  });
});
