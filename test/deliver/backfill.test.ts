import { describe, expect, test } from "vitest";
import { connect, freshWorld, importResults, invite, succeed, until, type World } from "../world.ts";
import { delivered, pushesOf, REFUSED, report, runsOf } from "./commands.ts";

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

  test("changes nothing with --dry-run, also beside --yes, and tells how many would go out to each account", async () => {
    const world = await withLog(invite(), invite(), invite());
    const none = report({ matched: 3 });
    const asked = async (...flags: string[]) => await succeed(world, ["backfill", "--dry-run", ...flags]);
    for (const [flags, outgoing] of [
      [[], 3],
      [["--yes"], 3],
      [["--yes", "--limit", "2"], 2],
    ] as const)
      expect((await asked("--json", ...flags)).json).toEqual({
        ...none,
        isDryRun: true,
        connections: [
          {
            vendor: "hubspot",
            account: expect.stringContaining("portal"),
            matched: 3,
            skipped: 0,
            waiting: 0,
            outgoing,
          },
        ],
      });
    const { out, err } = await asked("--yes");
    expect(out).toMatch(/would go out\n.*hubspot.* 3 +0 +3$/m);
    expect(err).toContain("without --dry-run");
    expect(await pushesOf(world)).toMatchObject({ pending: 0, delivered: 0 });
    expect(await runsOf(world)).toEqual([]);
    expect(await world.portal.contacts()).toEqual({});
    expect((await succeed(world, ["backfill", "--yes", "--json"])).json).toEqual(
      report({ matched: 3, queued: 3, delivered: 3 }),
    );
    // The same of what went out before.
    const again = await succeed(world, ["replay", "--status", "delivered", "--dry-run", "--yes", "--json"]);
    expect(again.json).toMatchObject({ matched: 3, queued: 0, connections: [{ outgoing: 3 }] });
    expect(await world.portal.upserts()).toHaveLength(1);
  });

  test("creates no second push where there is one, whatever became of it", async () => {
    const { world, events } = await delivered(2);
    await world.portal.fault({ ...REFUSED, match: "bad@example.org" });
    await importResults(world, [invite({ email: "bad@example.org" })]);
    expect(await world.run(["run", "retry"])).toMatchObject({ code: 7 });
    expect(await pushesOf(world)).toMatchObject({ delivered: events.length, rejected: 1 });
    expect((await world.run(["backfill", "--yes", "--json"])).json).toEqual(report({}));
  });

  test("looks at the invite's newest event: --since counts itself, --until does not", async () => {
    const world = await withLog(...["01", "02", "03"].map((day) => invite({ timestamp: at(day) })));
    const matched = async (...flags: string[]) => (await world.run(["backfill", ...flags, "--json"])).json;
    expect(await matched("--since", "2026-10-02")).toEqual(report({ matched: 2 }));
    expect(await matched("--until", "2026-10-02")).toEqual(report({ matched: 1 }));
    expect(await matched("--since", "2026-10-02", "--until", "2026-10-03")).toEqual(report({ matched: 1 }));
    expect(await world.run(["backfill", "--since", "2026-10-03", "--until", "2026-10-02"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("--since is not before --until"),
    });
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
    const first = world.start(["backfill", "--rate", "10", "--yes"]);
    await until("some are queued", async () => ((await pushesOf(world)).pending ?? 0) > 0);
    expect(await first.stop()).toMatchObject({ code: 130 });
    expect(await world.run(["backfill", "--yes", "--json"])).toMatchObject({ code: 0 });
    expect(await pushesOf(world)).toMatchObject({ pending: 0, delivered: 300 });
    expect(Object.keys(await world.portal.contacts())).toHaveLength(300);
  });
});
