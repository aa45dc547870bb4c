import { describe, expect, test } from "vitest";
import { fakeClock } from "../fake-clock.ts";
import { connected, importResults, invite, succeed } from "../world.ts";
import { delivered, pushesOf, report, runsOf, through } from "./commands.ts";

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
  });

  test("refuses an invitation that the org does not have, and sends nothing", async () => {
    const { world, events } = await delivered(1);
    const before = await world.portal.upserts();
    const known = events[0]?.data.invitation_id ?? "";
    for (const argv of [["inv_nope"], [known, "inv_nope", "--yes"]])
      expect(await world.run(["replay", ...argv])).toMatchObject({
        code: 2,
        out: "",
        err: expect.stringMatching(/acme has no invite inv_nope\n {2}→ jc-integrations invites list/),
      });
    expect((await world.run(["replay", "inv_nope", "inv_nada"])).err).toContain("inv_nope, inv_nada");
    expect(await world.portal.upserts()).toEqual(before);
    expect(await runsOf(world)).toEqual([]);
  });

  test("says of one result that it waits", async () => {
    const { world } = await delivered(1);
    await succeed(world, ["replay", "--status", "delivered", "--detach", "--yes"]);
    expect((await succeed(world, ["replay", "--status", "delivered"])).out).toContain(
      "Of these, 1 waits already.",
    );
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
      ["--since", "yesterday", 1],
      ["--until", "1h", 0],
    ] as const)
      expect(await matched(flag, time), `${flag} ${time}`).toEqual(report({ matched: n }));
    for (const time of ["last week", "2026-02-30", "2026-11-22T10:00", "22.11.2026", "2026-13-01"])
      expect(await world.run(["replay", "--since", time]), time).toMatchObject({ code: 2 });
    expect(await world.run(["replay", "--since", "2026-11-22", "--until", "2026-11-22"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("--since is not before --until"),
    });
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
    expect(clock.now() - startedAt).toBeGreaterThanOrEqual(2_000);
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
    expect(await world.run(["run", "retry"])).toMatchObject({ code: 7 });
    await world.portal.settings({ grantedScopes: null });
    const { code, json } = await world.run(["replay", "--vendor", "hubspot", "--yes", "--json"]);
    expect(code).toBe(0);
    expect(json).toEqual(report({ matched: 3, queued: 2, skipped: 1, delivered: 2 }));
    expect(await pushesOf(world)).toMatchObject({ held: 1, delivered: 2 });
  });
});
