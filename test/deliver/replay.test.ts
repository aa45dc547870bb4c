import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { serving } from "../daemon/serving.ts";
import { importResults, succeed } from "../connect/world.ts";
import { launchService } from "../end-to-end/program.ts";
import { type FakeClock, fakeClock } from "../fake-clock.ts";
import {
  connect,
  connected,
  freshWorld,
  invite,
  type Run,
  type Running,
  until,
  type World,
} from "../world.ts";

const SECOND = 1_000;
const REFUSED = { status: 400, body: { status: "error", message: "no", category: "VALIDATION_ERROR" } };

/** A world in which so many results were delivered. */
async function delivered(n: number, options: { clock?: FakeClock } = {}) {
  const world = await connected(options);
  const events = Array.from({ length: n }, () => invite());
  await importResults(world, events);
  await succeed(world, ["run", "retry"]);
  expect(Object.keys(await world.portal.contacts())).toHaveLength(n);
  return { world, events };
}

async function pushesOf(world: World): Promise<Record<string, number>> {
  const { json } = await world.run(["status", "--json"]);
  return v.parse(v.object({ pushes: v.record(v.string(), v.number()) }), json).pushes;
}

async function runsOf(world: World) {
  const { json } = await succeed(world, ["logs", "--runs", "--json"]);
  const run = v.looseObject({ command: v.string(), endedAt: v.nullable(v.string()) });
  return v.parse(v.object({ runs: v.array(run) }), json).runs;
}

/** Moves a clock that stands still until the command is done. */
async function through(clock: FakeClock, running: Running): Promise<Run> {
  let isDone = false;
  const done = running.done.finally(() => {
    isDone = true;
  });
  await until("the command ends", async () => {
    await clock.advance(50);
    return isDone;
  });
  return await done;
}

const report = (changes: object) => ({
  version: 1,
  matched: 0,
  queued: 0,
  skipped: 0,
  delivered: 0,
  rejected: 0,
  ...changes,
});

describe("replay", () => {
  test.each([[[]], [["--limit", "5"]], [["--yes"]], [["--detach", "--yes"]]])(
    "needs a filter: %j is no use",
    async (flags) => {
      const world = await connected();
      const { code, err } = await world.run(["replay", ...flags]);
      expect(code).toBe(2);
      expect(err).toContain("replay needs a filter");
    },
  );

  test("shows what it would do and changes nothing, until --yes", async () => {
    const { world } = await delivered(3);
    const before = await world.portal.upserts();
    const preview = await world.run(["replay", "--status", "delivered"]);
    expect(preview).toMatchObject({ code: 0, out: expect.stringMatching(/hubspot .* 3 +0 +3/) });
    expect(preview.err).toContain("add --yes");
    const asJson = await world.run(["replay", "--status", "delivered", "--json"]);
    expect(asJson).toMatchObject({ code: 0, json: report({ matched: 3 }), err: "" });
    expect(await world.portal.upserts()).toEqual(before);
    expect(await pushesOf(world)).toMatchObject({ delivered: 3, pending: 0 });
    expect(await runsOf(world)).toEqual([]);

    const done = await world.run(["replay", "--status", "delivered", "--yes", "--json"]);
    expect(done).toMatchObject({ code: 0, err: "" });
    expect(done.json).toEqual(report({ matched: 3, queued: 3, delivered: 3 }));
    expect(await world.portal.upserts()).toHaveLength(before.length + 1);
  });

  test("takes ids, an address, a state and a vendor as filters, together as all of them", async () => {
    const { world, events } = await delivered(4);
    const [first, second] = events.map(({ data }) => data);
    const matched = async (...filter: string[]) => (await world.run(["replay", ...filter, "--json"])).json;
    expect(await matched(first?.invitation_id ?? "", second?.invitation_id ?? "")).toEqual(
      report({ matched: 2 }),
    );
    const address = ` ${first?.candidate.email.toUpperCase()}`;
    expect(await matched("--email", address)).toEqual(report({ matched: 1 }));
    expect(await matched("--email", address, second?.invitation_id ?? "")).toEqual(report({}));
    expect(await matched("--status", "rejected")).toEqual(report({}));
    expect(await matched("--vendor", "hubspot")).toEqual(report({ matched: 4 }));
    expect(await matched("inv_nobody")).toEqual(report({}));
  });

  test("looks at the last attempt: --since counts itself, --until does not, a bare date is 00:00 UTC", async () => {
    const clock = fakeClock(Date.UTC(2026, 10, 22));
    const { world } = await delivered(1, { clock });
    const matched = async (...filter: string[]) => (await world.run(["replay", ...filter, "--json"])).json;
    for (const [flag, time, n] of [
      ["--since", "2026-11-22", 1],
      ["--since", "2026-11-22T00:00:00.001Z", 0],
      ["--until", "2026-11-22", 0],
      ["--until", "2026-11-22T00:00:00.001Z", 1],
      ["--since", "2026-11-22T02:00:00+02:00", 1],
      ["--until", "2026-11-23", 1],
    ] as const)
      expect(await matched(flag, time), `${flag} ${time}`).toEqual(report({ matched: n }));
    for (const time of ["yesterday", "2026-02-30", "2026-11-22T10:00", "22.11.2026", "2026-13-01"])
      expect(await world.run(["replay", "--since", time]), time).toMatchObject({ code: 2 });
  });

  test("queues no more than --limit", async () => {
    const { world } = await delivered(5);
    const { code, json } = await world.run([
      "replay",
      "--vendor",
      "hubspot",
      "--limit",
      "2",
      "--yes",
      "--json",
    ]);
    expect(code).toBe(0);
    expect(json).toEqual(report({ matched: 5, queued: 2, delivered: 2 }));
  });

  test("queues no faster than --rate", async () => {
    const clock = fakeClock();
    const { world } = await delivered(6, { clock });
    const startedAt = clock.now();
    const run = world.start(["replay", "--vendor", "hubspot", "--rate", "2", "--yes", "--json"]);
    expect(await through(clock, run)).toMatchObject({
      code: 0,
      json: report({ matched: 6, queued: 6, delivered: 6 }),
    });
    expect(clock.now() - startedAt).toBeGreaterThanOrEqual(2 * SECOND);
  });

  test("only queues with --detach", async () => {
    const { world } = await delivered(3);
    const before = await world.portal.upserts();
    const { code, json } = await world.run(["replay", "--vendor", "hubspot", "--detach", "--yes", "--json"]);
    expect(code).toBe(0);
    expect(json).toEqual(report({ matched: 3, queued: 3 }));
    expect(await pushesOf(world)).toMatchObject({ pending: 3 });
    expect(await world.portal.upserts()).toEqual(before);
    await succeed(world, ["run", "retry"]);
    expect(await pushesOf(world)).toMatchObject({ delivered: 3, pending: 0 });
  });

  test("leaves alone what is held", async () => {
    const { world } = await delivered(2);
    await world.portal.settings({ grantedScopes: ["oauth"] });
    await importResults(world, [invite()]);
    await succeed(world, ["run", "retry"]);
    await world.portal.settings({ grantedScopes: null });
    const { code, json } = await world.run(["replay", "--vendor", "hubspot", "--yes", "--json"]);
    expect(code).toBe(0);
    expect(json).toEqual(report({ matched: 3, queued: 2, skipped: 1, delivered: 2 }));
    expect(await pushesOf(world)).toMatchObject({ held: 1, delivered: 2 });
  });

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
    await succeed(world, ["secrets", "remove", "hubspot.client-secret"]);
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
    await succeed(world, ["replay", "--email", email, "--yes"]);
    const [run] = await runsOf(world);
    expect(run).toMatchObject({
      command: "replay",
      who: expect.any(String),
      filter: { email: `${email[0]}…@example.org` },
      counts: { matched: 1, queued: 1, skipped: 0, delivered: 1, rejected: 0 },
      endedAt: expect.stringMatching(/Z$/),
    });
  });
});

describe("replay cut off by Ctrl-C", () => {
  test("while it queues, and started again, ends like one that was not", async () => {
    const { world } = await delivered(250);
    const first = world.start(["replay", "--vendor", "hubspot", "--rate", "100", "--yes"]);
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

describe("backfill", () => {
  const at = (day: string) => `2026-10-${day}T00:00:00Z`;

  /** A world with a log from before the portal was connected. */
  async function withLog(...events: object[]): Promise<World> {
    const world = await freshWorld();
    await importResults(world, events);
    await connect(world);
    return world;
  }

  test("sends what was never sent, and finds nothing the second time", async () => {
    const world = await withLog(invite(), invite(), invite({ type: "invite.sent", tests: [] }));
    expect((await world.run(["backfill", "--json"])).json).toEqual(report({ matched: 2 }));
    expect(await world.portal.contacts()).toEqual({});
    const done = await world.run(["backfill", "--yes", "--json"]);
    expect(done).toMatchObject({ code: 0, json: report({ matched: 2, queued: 2, delivered: 2 }) });
    expect(Object.keys(await world.portal.contacts())).toHaveLength(2);
    expect((await world.run(["backfill", "--yes", "--json"])).json).toEqual(report({}));
  });

  test("creates no second push where there is one, whatever became of it", async () => {
    const { world, events } = await delivered(2);
    await world.portal.fault({ ...REFUSED, match: "bad@example.org" });
    await importResults(world, [invite({ email: "bad@example.org" })]);
    await succeed(world, ["run", "retry"]);
    expect(await pushesOf(world)).toMatchObject({ delivered: events.length, rejected: 1 });
    expect((await world.run(["backfill", "--yes", "--json"])).json).toEqual(report({}));
  });

  test("looks at the invite's newest event: --since counts itself, --until does not", async () => {
    const world = await withLog(...["01", "02", "03"].map((day) => invite({ timestamp: at(day) })));
    const matched = async (...flags: string[]) => (await world.run(["backfill", ...flags, "--json"])).json;
    expect(await matched("--since", "2026-10-02")).toEqual(report({ matched: 2 }));
    expect(await matched("--until", "2026-10-02")).toEqual(report({ matched: 1 }));
    expect(await matched("--since", "2026-10-02", "--until", "2026-10-03")).toEqual(report({ matched: 1 }));
    const done = await world.run(["backfill", "--since", "2026-10-02", "--limit", "1", "--yes", "--json"]);
    expect(done.json).toEqual(report({ matched: 2, queued: 1, delivered: 1 }));
    expect(await matched()).toEqual(report({ matched: 2 }));
  });

  test("takes those who are still at it only when asked to", async () => {
    const half = invite({
      tests: [
        { slug: "disc", status: "assigned" },
        { slug: "mbti", status: "started" },
      ],
    });
    const world = await withLog(half, invite());
    expect((await world.run(["backfill", "--json"])).json).toEqual(report({ matched: 1 }));
    const flags = ["--include-in-progress", "--yes", "--json"];
    const done = await world.run(["backfill", ...flags]);
    expect(done.json).toEqual(report({ matched: 2, queued: 2, delivered: 2 }));
    const email = half.data.candidate.email;
    expect((await world.portal.contacts())[email]).toMatchObject({ jc_test_status: "in_progress" });
  });

  test("cut off by Ctrl-C and started again ends like one that was not", async () => {
    const world = await withLog(...Array.from({ length: 300 }, () => invite()));
    const first = world.start(["backfill", "--rate", "100", "--yes"]);
    await until("some are queued", async () => ((await pushesOf(world)).pending ?? 0) > 0);
    expect(await first.stop()).toMatchObject({ code: 130 });
    expect(await world.run(["backfill", "--yes", "--json"])).toMatchObject({ code: 0 });
    expect(await pushesOf(world)).toMatchObject({ pending: 0, delivered: 300 });
    expect(Object.keys(await world.portal.contacts())).toHaveLength(300);
  });
});
