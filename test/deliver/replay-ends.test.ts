import { userInfo } from "node:os";
import { describe, expect, test } from "vitest";
import { serving } from "../daemon/serving.ts";
import { launchService } from "../end-to-end/program.ts";
import { fakeClock } from "../fake-clock.ts";
import { succeed, until } from "../world.ts";
import { delivered, pushesOf, REFUSED, report, runsOf, through } from "./commands.ts";

const SECOND = 1_000;

describe("replay", () => {
  test("ends with 7 when the vendor refuses some, and mends them once it does not", async () => {
    const { world, events } = await delivered(3);
    const [bad] = events.map(({ data }) => data.candidate.email);
    await world.portal.fault({ ...REFUSED, match: bad });
    const refused = await world.run(["replay", "--vendor", "hubspot", "--yes", "--json"]);
    expect(refused).toMatchObject({
      code: 7,
      json: report({ matched: 3, queued: 3, delivered: 2, rejected: 1 }),
    });
    expect(refused.err).toContain("logs --outcome rejected");
    await world.portal.clearFaults();
    const mended = await world.run(["replay", "--status", "rejected", "--yes", "--json"]);
    expect(mended).toMatchObject({ code: 0, json: report({ matched: 1, queued: 1, delivered: 1 }) });
  });

  test("ends with 4 when the vendor no longer takes our tokens, and the results wait for connect", async () => {
    const { world } = await delivered(3);
    await world.portal.fault({ revoked: true });
    const run = await world.run(["replay", "--vendor", "hubspot", "--yes", "--json"]);
    expect(run).toMatchObject({ code: 4, json: report({ matched: 3, queued: 3 }) });
    expect(await pushesOf(world)).toMatchObject({ held: 3 });
    await succeed(world, ["connect", "hubspot"]);
    await succeed(world, ["run", "retry"]);
    expect(await pushesOf(world)).toMatchObject({ delivered: 3, held: 0 });
  });

  test("ends with 7 when a scope is missing or a property is gone, and says what to type", async () => {
    const { world } = await delivered(2);
    const held = report({ matched: 2, queued: 2 });
    await world.portal.settings({ grantedScopes: ["oauth", "crm.objects.contacts.read"] });
    const noScope = await world.run(["replay", "--vendor", "hubspot", "--yes", "--json"]);
    expect(noScope).toMatchObject({ code: 7, json: held });
    expect(noScope.err).toContain("2 results held until hubspot grants the missing scope");
    expect(noScope.err).toContain("jc-integrations connect hubspot --org acme");
    await world.portal.settings({ grantedScopes: null });
    await succeed(world, ["connect", "hubspot"]);
    await succeed(world, ["run", "retry"]);

    await world.portal.archiveProperty("jc_disc_d");
    const noProperty = await world.run(["replay", "--vendor", "hubspot", "--yes", "--json"]);
    expect(noProperty).toMatchObject({ code: 7, json: held });
    expect(noProperty.err).toContain("2 results held until hubspot has the property they fill");
    expect(noProperty.err).toContain("jc-integrations resync-properties --org acme");
    await succeed(world, ["resync-properties"]);
    await succeed(world, ["run", "retry"]);
    expect(await pushesOf(world)).toMatchObject({ held: 0, delivered: 2 });
  });

  test("ends with 6 after six tries when the vendor is down and no service runs; the rest stays pending", async () => {
    const clock = fakeClock();
    const { world } = await delivered(3, { clock });
    await world.portal.fault({ status: 503 });
    const before = (await world.portal.upserts()).length;
    const run = await through(clock, world.start(["replay", "--vendor", "hubspot", "--yes", "--json"]));
    expect(run).toMatchObject({ code: 6, json: report({ matched: 3, queued: 3 }) });
    expect(run.err).toContain("VENDOR_UNAVAILABLE");
    expect((await world.portal.upserts()).slice(before)).toEqual(Array(6).fill(503));
    expect(await pushesOf(world)).toMatchObject({ pending: 3, rejected: 0 });
    expect(await runsOf(world)).toMatchObject([{ command: "replay", endedAt: null }]);
  });

  test("ends with 6 when one record alone makes the vendor fail; the others are delivered", async () => {
    const clock = fakeClock();
    const { world, events } = await delivered(3, { clock });
    await world.portal.fault({ status: 500, match: events[1]?.data.candidate.email });
    const run = await through(clock, world.start(["replay", "--vendor", "hubspot", "--yes", "--json"]));
    expect(run).toMatchObject({ code: 6, json: report({ matched: 3, queued: 3, delivered: 2 }) });
    expect(await pushesOf(world)).toMatchObject({ pending: 1, delivered: 2 });
  });

  test("ends with 6 when the vendor wants to be left in peace for long", async () => {
    const { world } = await delivered(1);
    await world.portal.fault({ status: 477, headers: { "retry-after": "3600" } });
    expect(await world.run(["replay", "--vendor", "hubspot", "--yes"])).toMatchObject({ code: 6 });
    expect(await pushesOf(world)).toMatchObject({ pending: 1 });
  });

  test("ends with 2 when what it needs is not configured", async () => {
    const clock = fakeClock();
    const { world } = await delivered(1, { clock });
    await succeed(world, ["secrets", "remove", "hubspot.client-secret", "--yes"]);
    clock.jump(clock.now() + 3_600 * SECOND);
    const run = await world.run(["replay", "--vendor", "hubspot", "--yes", "--json"]);
    expect(run).toMatchObject({ code: 2, json: report({ matched: 1, queued: 1 }) });
    expect(run.err).toContain("hubspot.client-secret");
  });

  test("lets a service that runs deliver, and watches it", async () => {
    const { world } = await delivered(3);
    const { running } = await serving(world);
    const run = await world.run(["replay", "--vendor", "hubspot", "--yes"]);
    expect(run).toMatchObject({ code: 0, out: expect.stringContaining("3 delivered") });
    expect(run.err).not.toContain("no service runs");
    await until("the service says so", () => running.err().includes("delivered=3"));
  });

  test("says why nothing moves beside a service, once, and ends with 6 after a minute where nobody watches", async () => {
    const clock = fakeClock();
    const { world } = await delivered(3, { clock });
    await world.portal.fault({ status: 503 });
    await serving(world);
    const run = await through(clock, world.start(["replay", "--vendor", "hubspot", "--yes"]));
    expect(run).toMatchObject({ code: 6, out: expect.stringContaining("3 waiting") });
    const told = run.err.split("\n").filter((line) => line.startsWith("hubspot: "));
    expect(told[0]).toMatch(
      /^hubspot: did not take the last call \(.*503.*\), nothing is lost; it is tried again within a minute\. Ctrl-C is safe: what is queued stays queued, and serve delivers it\.$/,
    );
    expect(new Set(told).size).toBe(told.length);
    expect(run.err).toContain("Error: 3 results still wait and stay queued: hubspot: ");
    expect(run.err).toContain("jc-integrations status --org acme");
    expect(await pushesOf(world)).toMatchObject({ pending: 3 });
    await world.portal.clearFaults();
    await until("the service delivers what stayed queued", async () => {
      await clock.advance(10_000);
      return (await pushesOf(world)).delivered === 3;
    });
  });

  test("waits on at a terminal, and says below its line why", async () => {
    const clock = fakeClock();
    const { world } = await delivered(1, { clock });
    await world.portal.fault({ status: 503 });
    await serving(world);
    const argv = ["replay", "--vendor", "hubspot", "--yes"];
    const waiting = world.start(argv, { isTerminal: true, env: { TERM: "xterm" } });
    await until("it says why", async () => {
      await clock.advance(500);
      return waiting.err().includes("\r\u001b[2Khubspot: did not take the last call");
    });
    for (let seconds = 0; seconds < 120; seconds += 1) await clock.advance(1_000);
    await world.portal.clearFaults();
    expect(await through(clock, waiting)).toMatchObject({ code: 0 });
  });

  test("goes on where a service dies that it watched", async () => {
    const { world } = await delivered(3);
    await world.portal.fault({ status: 503 });
    const service = await launchService(world);
    const replaying = world.start(["replay", "--vendor", "hubspot", "--yes", "--json"]);
    await until("the service tried", async () => (await world.portal.upserts()).includes(503));
    service.child.kill("SIGKILL");
    await service.ended;
    await world.portal.clearFaults();
    expect(await replaying.done).toMatchObject({
      code: 0,
      json: report({ matched: 3, queued: 3, delivered: 3 }),
    });
  });

  test("keeps who asked for what, and what came of it", async () => {
    const { world, events } = await delivered(2);
    const email = events[0]?.data.candidate.email ?? "";
    const env = { SUDO_USER: "alice" };
    expect(await world.run(["replay", "--email", email, "--yes"], { env })).toMatchObject({ code: 0 });
    const [run] = await runsOf(world);
    expect(run).toMatchObject({
      command: "replay",
      who: `alice as ${userInfo().username}`,
      filter: { email: `${email[0]}…@example.org` },
      counts: { matched: 1, queued: 1, skipped: 0, delivered: 1, rejected: 0 },
      endedAt: expect.stringMatching(/Z$/),
    });
  });
});

describe("replay cut off by Ctrl-C", () => {
  test("while it queues, and started again, ends like one that was not", async () => {
    const { world } = await delivered(250);
    const first = world.start(["replay", "--vendor", "hubspot", "--rate", "10", "--yes"]);
    await until("some are queued", async () => ((await pushesOf(world)).pending ?? 0) > 0);
    const cut = await first.stop();
    expect(cut.code).toBe(130);
    const waiting = (await pushesOf(world)).pending ?? 0;
    expect(waiting).toBeGreaterThan(0);
    expect(waiting).toBeLessThan(250);
    const again = await world.run(["replay", "--vendor", "hubspot", "--yes", "--json"]);
    expect(again).toMatchObject({ code: 0, json: report({ matched: 250, queued: 250, delivered: 250 }) });
    expect(await pushesOf(world)).toMatchObject({ pending: 0, delivered: 250 });
    expect(await runsOf(world)).toMatchObject([{ endedAt: expect.any(String) }, { endedAt: null }]);
  });

  test("while calls are under way loses nothing of them", async () => {
    const { world } = await delivered(3);
    await world.portal.fault({ delayMs: 60_000, path: "/crm/v3/objects", times: 1 });
    const before = (await world.portal.upserts()).length;
    const first = world.start(["replay", "--vendor", "hubspot", "--yes"]);
    await until("the call is under way", async () => (await world.portal.upserts()).length > before);
    expect(await first.stop()).toMatchObject({ code: 130 });
    expect(await pushesOf(world)).toMatchObject({ pending: 3 });
    const again = await world.run(["replay", "--status", "pending", "--yes", "--json"]);
    expect(again).toMatchObject({ code: 0, json: report({ matched: 3, queued: 3, delivered: 3 }) });
  });
});
