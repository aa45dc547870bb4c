import { describe, expect, test } from "vitest";
import { serving } from "../daemon/serving.ts";
import { MINUTE, openStage, people, SECOND } from "../deliver/stage.ts";
import {
  connected,
  DISC_SCORES,
  importResults,
  invite,
  prepared,
  succeed,
  until,
  type World,
} from "../world.ts";
import { fakeClock } from "../fake-clock.ts";
import { callApi, runProgram, statusOf } from "./world.ts";

const PROPERTIES = "/crm/v3/properties/contacts";
const PERSON = "maya@example.org";
const { jc_disc_d: _dominance, ...WITHOUT_D } = DISC_SCORES;

/** An admin makes a choice of the number, or takes options away from the status. */
const DRIFTS: readonly [what: string, name: string, change: object, reason: string][] = [
  [
    "another type",
    "jc_disc_d",
    {
      type: "enumeration",
      fieldType: "select",
      options: [{ label: "High", value: "high", displayOrder: 0 }],
    },
    "type is enumeration, not number",
  ],
  [
    "options that are not ours",
    "jc_test_status",
    { options: [{ label: "Done", value: "done", displayOrder: 0, hidden: false }] },
    "lacks the option invited, in_progress, completed, expired, cancelled",
  ],
];

async function deliverOne(world: World): Promise<Record<string, string>> {
  await importResults(world, [invite({ email: PERSON })]);
  await world.run(["run", "retry"]);
  return await valuesOf(world);
}

async function valuesOf(world: World): Promise<Record<string, string>> {
  return (await world.portal.contacts())[PERSON] ?? {};
}

async function expectAllThere(world: World): Promise<void> {
  expect(await valuesOf(world)).toMatchObject({ ...DISC_SCORES, jc_test_status: "completed" });
  expect(await statusOf(world)).toMatchObject({ banner: null, pushes: { pending: 0, held: 0 } });
}

describe.each(DRIFTS)("a property of %s", (_what, name, change, reason) => {
  test("is told by connect and status, by name; everything else reaches the contact", async () => {
    const world = await connected();
    await callApi(world, "PATCH", `${PROPERTIES}/${name}`, change);
    const { code, out } = await world.run(["connect", "hubspot"]);
    expect(code).toBe(0);
    expect(out).toContain(`! left out until mended there: ${name} (${reason})`);
    const { banner } = await statusOf(world);
    expect(banner).toContain(`left out of every result, and the rest goes: ${name} (${reason})`);
    expect(banner).toContain("jc-integrations resync-properties --org acme");

    const values = await deliverOne(world);
    expect(values).not.toHaveProperty(name);
    expect(values).toMatchObject(name === "jc_disc_d" ? WITHOUT_D : DISC_SCORES);
    expect((await statusOf(world)).pushes).toMatchObject({ pending: 0, held: 0, delivered: 1 });
    expect(await world.portal.upserts()).toEqual([200]);
  });

  test("that drifts after the connect costs one more call, and no contact", async () => {
    const world = await connected();
    await callApi(world, "PATCH", `${PROPERTIES}/${name}`, change);
    const values = await deliverOne(world);
    expect(values).not.toHaveProperty(name);
    expect(values).toMatchObject(name === "jc_disc_d" ? WITHOUT_D : DISC_SCORES);
    expect(await world.portal.upserts()).toEqual([207, 200]);
    expect((await statusOf(world)).banner).toContain(`${name} (${reason})`);
    const { out } = await world.run(["logs"]);
    expect(out).toContain(`${name} is left out from now on: ${reason}`);
  });

  test("that is mended is filled by the hourly look, without a hand", async () => {
    const clock = fakeClock(Date.UTC(2026, 10, 22, 12, 0));
    const world = await connected({ clock });
    await callApi(world, "PATCH", `${PROPERTIES}/${name}`, change);
    await deliverOne(world);
    expect(await valuesOf(world)).not.toHaveProperty(name);
    await world.portal.archiveProperty(name);
    expect((await succeed(world, ["run", "properties", "--json"])).json).toMatchObject({ due: 0 });
    // As an admin does, who makes it anew as it was.
    const { DEFINITIONS } = await import("../../src/vendors/hubspot/properties.ts");
    const definition = DEFINITIONS.find((each) => each.name === name);
    await callApi(world, "POST", PROPERTIES, definition ?? {});
    expect((await succeed(world, ["run", "properties", "--json"])).json).toMatchObject({ due: 1 });
    await succeed(world, ["run", "retry"]);
    await expectAllThere(world);
  });
});

test("the hourly look of serve tells of drift before any result meets it", async () => {
  const clock = fakeClock(Date.UTC(2026, 10, 22, 12, 30));
  const world = await connected({ clock });
  const { running } = await serving(world);
  await callApi(world, "PATCH", `${PROPERTIES}/jc_disc_d`, DRIFTS[0]?.[2] ?? {});
  await until("the look was taken", async () => {
    await clock.advance(60_000);
    return (await statusOf(world)).banner !== null;
  });
  expect((await statusOf(world)).banner).toContain("jc_disc_d (type is enumeration, not number)");
  await until("the journal has it", () => running.err().includes("a property cannot take our values"));
  const values = await deliverOne(world);
  expect(values).toMatchObject(WITHOUT_D);
  expect(values).not.toHaveProperty("jc_disc_d");
  expect(await world.portal.upserts()).not.toContain(207);
});

test("a number that is a text there takes our values: it is told, and filled", async () => {
  const world = await connected();
  const change = { type: "string", fieldType: "text" };
  await callApi(world, "PATCH", `${PROPERTIES}/jc_disc_d`, change);
  const { out } = await world.run(["connect", "hubspot"]);
  expect(out).toContain("differs, and takes our values: jc_disc_d (type is string, not number)");
  expect(await deliverOne(world)).toMatchObject(DISC_SCORES);
  expect((await statusOf(world)).banner).toBeNull();
});

describe("a property that is there and takes nothing", () => {
  test.each([
    ["is read only", { readOnlyValue: true }, "its value is read only"],
    ["stands in no list", { dataSensitivity: "sensitive" }, "it is kept as sensitive data"],
  ])("since it %s, is read by its name, named and left out", async (_what, change, reason) => {
    const world = await connected();
    await world.portal.changeProperty("jc_disc_d", change);
    for (const command of [["resync-properties"], ["connect", "hubspot"]]) {
      const { code, out } = await world.run(command);
      expect(code).toBe(0);
      expect(out).toContain(`jc_disc_d (${reason})`);
    }
    expect(await deliverOne(world)).toMatchObject(WITHOUT_D);
    expect(await world.portal.upserts()).toEqual([200]);
    expect((await statusOf(world)).pushes).toMatchObject({ held: 0, delivered: 1 });

    await world.portal.changeProperty("jc_disc_d", {
      readOnlyValue: false,
      dataSensitivity: "non_sensitive",
    });
    await succeed(world, ["run", "properties"]);
    await succeed(world, ["run", "retry"]);
    await expectAllThere(world);
  });

  test("as HubSpot says and shows to nobody, is named and left out by the built program", async () => {
    const world = await prepared();
    const body = { category: "OBJECT_ALREADY_EXISTS", message: "it exists" };
    await world.portal.fault({ status: 409, method: "POST", path: PROPERTIES, match: "jc_disc_d", body });
    const { code, out } = await world.run(["connect", "hubspot", "--json"]);
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining("shows it to nobody") });
    expect(await deliverOne(world)).toMatchObject(WITHOUT_D);
    const again = await runProgram(world, ["resync-properties"]);
    expect(again.code).toBe(0);
    expect(again.out).toContain("jc_disc_d (HubSpot says that it is there, and shows it to nobody)");
    await world.portal.clearFaults();
    await succeed(world, ["resync-properties"]);
    await succeed(world, ["run", "retry"]);
    await expectAllThere(world);
  });

  test("though nothing says why, is left out; one contact tries it each hour, and the rest follows", async () => {
    const clock = fakeClock(Date.UTC(2026, 10, 22, 12, 0));
    const world = await connected({ clock });
    await clock.advance(5 * MINUTE);
    await world.portal.changeProperty("jc_disc_d", { isWritable: false });
    const emails = [PERSON, "ann@example.org", "ben@example.org"];
    await importResults(
      world,
      emails.map((email) => invite({ email })),
    );
    await world.run(["run", "retry"]);
    expect(await valuesOf(world)).toMatchObject(WITHOUT_D);
    expect(await statusOf(world)).toMatchObject({
      banner: expect.stringContaining("jc_disc_d (it is there, and refuses our values)"),
      pushes: { delivered: 3, held: 0, pending: 0 },
    });

    const look = async () => (await succeed(world, ["run", "properties", "--json"])).json;
    expect(await look()).toMatchObject({ due: 1 });
    await world.run(["run", "retry"]);
    expect(await statusOf(world)).toMatchObject({
      banner: expect.stringContaining("refuses our values"),
      pushes: { delivered: 3, held: 0, pending: 0 },
    });

    await world.portal.changeProperty("jc_disc_d", { isWritable: true });
    expect(await look()).toMatchObject({ due: 1 });
    await succeed(world, ["run", "retry"]);
    expect(await look()).toMatchObject({ due: 3 });
    await succeed(world, ["run", "retry"]);
    for (const email of emails) expect((await world.portal.contacts())[email]).toMatchObject(DISC_SCORES);
    await expectAllThere(world);
  });
});

describe("properties that were just created, and that contacts do not know yet", () => {
  async function lagging(lagMs: number) {
    const stage = await openStage();
    await stage.portal.archiveGroup();
    await stage.portal.settings({ propertyLagMs: lagMs });
    await stage.complete(...people(150));
    await stage.through(stage.resync());
    const { banner } = await stage.connection();
    await stage.start();
    return { stage, banner };
  }

  test("hold nobody: they are tried again for a minute", async () => {
    const { stage, banner } = await lagging(40 * SECOND);
    const held: number[] = [];
    await stage.until(
      "all is delivered",
      async () => {
        const counts = await stage.counts();
        held.push(counts.held);
        return counts.delivered === 150;
      },
      MINUTE,
    );
    expect(Math.max(...held)).toBe(0);
    for (const properties of (await stage.contacts()).values()) expect(properties).toMatchObject(DISC_SCORES);
    expect(await stage.connection()).toMatchObject({ banner, outage: null, leftOut: [] });
    expect(stage.calls.length).toBeLessThan(20);
  });

  test("for longer than a minute are left out, and the rest goes", async () => {
    const { stage } = await lagging(10 * MINUTE);
    await stage.until("the minute is over", async () => (await stage.counts()).pending === 0, 3 * MINUTE);
    expect(await stage.counts()).toMatchObject({ held: 0, rejected: 0 });
    expect((await stage.connection()).leftOut?.map(({ name }) => name)).toContain("jc_disc_d");
  });
});
