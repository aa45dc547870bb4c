import { describe, expect, test } from "vitest";
import { fakeClock } from "../fake-clock.ts";
import { connected, importResults, invite, succeed } from "../world.ts";
import { pushesOf, REFUSED, through } from "./commands.ts";

const RETRY = ["run", "retry", "--json"];

/** A world in which so many results wait to be delivered. */
async function waiting(n: number, clock = fakeClock()) {
  const world = await connected({ clock });
  const events = Array.from({ length: n }, () => invite());
  await importResults(world, events);
  return { world, clock, events };
}

function counts(changes: object) {
  return { version: 1, delivered: 0, rejected: 0, held: 0, retried: 0, ...changes };
}

describe("run retry", () => {
  test("ends with 0 when all is delivered, and when nothing is due", async () => {
    const { world } = await waiting(2);
    expect(await world.run(RETRY)).toMatchObject({ code: 0, json: counts({ delivered: 2 }), err: "" });
    expect(await world.run(RETRY)).toMatchObject({ code: 0, json: counts({}), err: "" });
  });

  test("ends with 7 when the vendor rejects some, once", async () => {
    const { world, events } = await waiting(3);
    await world.portal.fault({ ...REFUSED, match: events[0]?.data.candidate.email });
    const run = await world.run(RETRY);
    expect(run).toMatchObject({ code: 7, json: counts({ delivered: 2, rejected: 1 }) });
    expect(run.err).toContain("1 result rejected by the vendor");
    expect(run.err).toContain("logs --outcome rejected");
    expect(await world.run(RETRY)).toMatchObject({ code: 0, json: counts({}) });
  });

  test("ends with 4 when the vendor no longer takes our tokens, and counts all that is held", async () => {
    const { world } = await waiting(3);
    await world.portal.fault({ revoked: true });
    const run = await world.run(RETRY);
    expect(run).toMatchObject({ code: 4, json: counts({ held: 3 }) });
    expect(run.err).toContain("jc-integrations connect hubspot --org acme");
    expect(await pushesOf(world)).toMatchObject({ held: 3 });
    for (const again of [
      RETRY,
      ["backfill", "--yes", "--json"],
      ["replay", "--status", "held", "--yes", "--json"],
    ]) {
      const { code, err } = await world.run(again);
      expect([again[0], code]).toEqual([again[0], 4]);
      expect(err).toContain("3 results held until hubspot is connected again");
    }
  });

  test("ends with 6 when the vendor is down, and asks it again each time it is typed", async () => {
    const { world, clock } = await waiting(3);
    await world.portal.fault({ status: 503 });
    const run = await through(clock, world.start(RETRY));
    expect(run).toMatchObject({ code: 6, json: counts({ retried: 3 }) });
    expect(run.err).toContain("hubspot does not take everything at the moment");
    const calls = (await world.portal.upserts()).length;
    const again = await world.run(RETRY);
    expect(again).toMatchObject({ code: 6, json: counts({ retried: 1, pending: 3 }) });
    expect((await world.run(["run", "retry"])).out).toContain("0 held, 3 still waiting");
    expect(again.err).toContain("VENDOR_UNAVAILABLE");
    expect(await world.portal.upserts()).toHaveLength(calls + 2);
    await world.portal.clearFaults();
    await succeed(world, ["run", "retry"]);
    expect(await pushesOf(world)).toMatchObject({ pending: 0, delivered: 3 });
  });

  test("asks nothing before the time that the vendor named", async () => {
    const { world, clock } = await waiting(3);
    await world.portal.fault({ status: 503, headers: { "retry-after": "3600" } });
    expect(await through(clock, world.start(RETRY))).toMatchObject({ code: 6 });
    const calls = (await world.portal.upserts()).length;
    await world.portal.clearFaults();
    const early = await world.run(RETRY);
    expect(early).toMatchObject({ code: 6, json: counts({ retried: 0 }) });
    expect(await world.portal.upserts()).toHaveLength(calls);
    clock.jump(clock.now() + 3_600_000);
    await succeed(world, ["run", "retry"]);
    expect(await pushesOf(world)).toMatchObject({ pending: 0, delivered: 3 });
  });
});
