import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DEFINITIONS } from "../../src/vendors/hubspot/properties.ts";
import { serving } from "../daemon/serving.ts";
import { launch } from "../end-to-end/program.ts";
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
import { callApi, SCOPES, statusOf } from "./world.ts";
import { tries } from "../tries.ts";

const GROUP = "jobcannon_assessments";
const NAMES: readonly string[] = DEFINITIONS.map(({ name }) => name);
const PROPERTIES = "/crm/v3/properties/contacts";
const PERSON = "maya@example.org";

async function resync(world: World, ...flags: string[]) {
  return (await succeed(world, ["resync-properties", "--json", ...flags])).json;
}

async function emptyPortal(world: World): Promise<void> {
  await world.portal.archiveGroup();
  for (const { name } of await world.portal.properties()) await world.portal.archiveProperty(name);
}

/** Every definition of ours stands once, in our group. */
async function expectComplete(world: World): Promise<void> {
  const definitions = await world.portal.properties();
  expect(definitions.map(({ name }) => name).sort()).toEqual([...NAMES].sort());
  expect(definitions.every(({ groupName }) => groupName === GROUP)).toBe(true);
}

/** A world in which one person's result was delivered. */
async function delivered(): Promise<World> {
  const world = await connected();
  await importResults(world, [invite({ email: PERSON })]);
  await succeed(world, ["run", "retry"]);
  expect(await valuesOf(world)).toMatchObject(DISC_SCORES);
  return world;
}

async function valuesOf(world: World): Promise<Record<string, string> | undefined> {
  return (await world.portal.contacts())[PERSON];
}

describe("resync-properties", () => {
  test("of a complete portal creates nothing, and has the shape that scripts rely on", async () => {
    const world = await connected();
    expect(await resync(world)).toEqual({
      version: 1,
      group: GROUP,
      created: [],
      existing: NAMES,
      drifted: [],
      overQuota: [],
      leftOut: [],
      due: 0,
    });
  });

  test("--dry-run shows the plan and changes nothing", async () => {
    const world = await connected();
    await world.portal.archiveGroup();
    const before = await world.portal.requests();
    const { code, out } = await world.run(["resync-properties", "--dry-run"]);
    expect(code).toBe(0);
    expect(out).toContain(`${GROUP}  would create 17 and the group, 0 there already\n`);
    for (const name of NAMES) expect(out).toMatch(new RegExp(`^${name} +would create$`, "m"));
    expect(await resync(world, "--dry-run")).toMatchObject({ created: NAMES, existing: [], dryRun: true });
    const asked = (await world.portal.requests()).slice(before.length);
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.filter(({ method }) => method !== "GET")).toEqual([]);
    expect(await world.portal.properties()).toEqual([]);
    const done = await world.run(["resync-properties"]);
    expect(done.out).toContain(`${GROUP}  created 17 and the group, 0 there already\n`);
    await expectComplete(world);
  });

  test("mends any mixture of missing, archived and moved properties, with and without the group", async () => {
    const world = await connected();
    const state = fc.constantFrom("there", "archived", "elsewhere");
    const mixture = fc.record({
      group: fc.constantFrom("there", "archived"),
      properties: fc.array(state, { minLength: NAMES.length, maxLength: NAMES.length }),
    });
    await fc.assert(
      fc.asyncProperty(mixture, async ({ group, properties }) => {
        await emptyPortal(world);
        await resync(world);
        const inState = (wanted: string) => NAMES.filter((_, index) => properties[index] === wanted);
        const elsewhere = inState("elsewhere");
        for (const name of elsewhere)
          await callApi(world, "PATCH", `${PROPERTIES}/${name}`, { groupName: "contactinformation" });
        for (const name of inState("archived")) await world.portal.archiveProperty(name);
        if (group === "archived") await world.portal.archiveGroup();

        const created =
          group === "archived" ? NAMES.filter((name) => !elsewhere.includes(name)) : inState("archived");
        expect(await resync(world)).toMatchObject({
          created,
          existing: NAMES.filter((name) => !created.includes(name)),
          drifted: elsewhere.map((name) => ({
            name,
            difference: `group is contactinformation, not ${GROUP}`,
          })),
        });
        expect((await world.portal.properties()).map(({ name }) => name).sort()).toEqual([...NAMES].sort());
      }),
      { ...tries(25, 4), endOnFailure: true },
    );
  });

  test("reports drift with exit 0, naming the property and all that differs, and leaves it alone", async () => {
    const world = await connected();
    await world.portal.archiveProperty("jc_iq_score");
    await callApi(world, "POST", PROPERTIES, {
      name: "jc_iq_score",
      label: "IQ",
      type: "string",
      fieldType: "text",
      groupName: "contactinformation",
    });
    await callApi(world, "PATCH", `${PROPERTIES}/jc_test_status`, {
      options: [{ label: "Completed", value: "completed", displayOrder: 0 }],
    });
    const before = await world.portal.properties();
    const { code, out } = await world.run(["resync-properties"]);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^jc_iq_score +differs: type is string, not number; field type is text, not number; group is contactinformation, not jobcannon_assessments$/m,
    );
    expect(out).toMatch(
      /^jc_test_status +differs: lacks the option invited, in_progress, expired, cancelled$/m,
    );
    expect(await world.portal.properties()).toEqual(before);
  });

  test.each(["v3", "2026-03", "2026-09"])("speaks the API version %s", async (version) => {
    const world = await prepared({ env: { JC_HUBSPOT_API_VERSION: version } });
    await succeed(world, ["connect", "hubspot"]);
    await world.portal.archiveProperty("jc_disc_d");
    expect(await resync(world)).toMatchObject({ created: ["jc_disc_d"] });
    await expectComplete(world);
    await importResults(world, [invite({ email: PERSON })]);
    await succeed(world, ["run", "retry"]);
    expect(await valuesOf(world)).toMatchObject(DISC_SCORES);
    await succeed(world, ["disconnect", "hubspot", "--yes", "--uninstall"]);
    const paths = (await world.portal.requests()).map(({ path }) => path);
    expect(paths.filter((path) => path !== "/oauth/authorize" && !path.includes(`/${version}/`))).toEqual([]);
  });

  test("without the scope for it names the scope and the fix", async () => {
    const world = await connected();
    await world.portal.archiveProperty("jc_disc_d");
    await world.portal.settings({ grantedScopes: SCOPES.slice(0, 4) });
    const { code, err } = await world.run(["resync-properties"]);
    expect(code).toBe(6);
    expect(err).toContain(
      "HubSpot wants a scope for creating the property jc_disc_d: crm.schemas.contacts.write",
    );
    expect(err).toContain("→ Reconnect and grant every scope: jc-integrations connect hubspot");
  });

  test("of an account that was disconnected asks to connect", async () => {
    const world = await connected();
    await succeed(world, ["disconnect", "hubspot", "--yes"]);
    const { code, err } = await world.run(["resync-properties"]);
    expect(code).toBe(4);
    expect(err).toContain("→ jc-integrations connect hubspot --org acme");
  });
});

describe("a portal with room for ten", () => {
  const [fitting, others] = [NAMES.slice(0, 10), NAMES.slice(10)];

  test("gets the first ten of the table; the rest is named, and results carry only what exists", async () => {
    const world = await prepared();
    await world.portal.settings({ propertyQuota: 10 });
    const connect = await world.run(["connect", "hubspot", "--json"]);
    expect(connect).toMatchObject({
      code: 7,
      json: { properties: { created: fitting, overQuota: others } },
      err: expect.stringContaining(`no room for ${others.join(", ")}`),
    });
    const again = await world.run(["resync-properties"]);
    expect(again.code).toBe(7);
    for (const name of others) expect(again.out).toMatch(new RegExp(`^${name} +no room in the portal$`, "m"));
    expect((await statusOf(world)).banner).toContain(`no room for ${others.join(", ")}`);
    expect((await world.portal.properties()).map(({ name }) => name)).toEqual(fitting);

    await importResults(world, [invite({ email: PERSON })]);
    await succeed(world, ["run", "retry"]);
    expect(await valuesOf(world)).toEqual(DISC_SCORES);
  });

  test("keeps its banner when it is connected again", async () => {
    const world = await prepared();
    await world.portal.settings({ propertyQuota: 10 });
    await world.run(["connect", "hubspot"]);
    expect((await world.run(["connect", "hubspot"])).code).toBe(7);
    expect((await statusOf(world)).banner).toContain("no room for");
  });

  test("gets the rest when room is made, and so do the contacts that were written before", async () => {
    const world = await prepared();
    await world.portal.settings({ propertyQuota: 10 });
    await world.run(["connect", "hubspot"]);
    await importResults(world, [invite({ email: PERSON })]);
    await succeed(world, ["run", "retry"]);
    await world.portal.settings({ propertyQuota: null });
    expect(await resync(world)).toMatchObject({ created: others, overQuota: [], due: 1 });
    expect((await statusOf(world)).banner).toBeNull();
    await succeed(world, ["run", "retry"]);
    expect(await valuesOf(world)).toMatchObject({ ...DISC_SCORES, jc_test_status: "completed" });
  });

  test("that a person completed by hand is used from the next run on", async () => {
    const world = await prepared();
    await world.portal.settings({ propertyQuota: 10 });
    await world.run(["connect", "hubspot"]);
    await importResults(world, [invite({ email: PERSON })]);
    await succeed(world, ["run", "retry"]);
    await world.portal.settings({ propertyQuota: null });
    for (const definition of DEFINITIONS.slice(10)) await callApi(world, "POST", PROPERTIES, definition);
    expect(await resync(world)).toMatchObject({ created: [], existing: NAMES, due: 1 });
    await succeed(world, ["run", "retry"]);
    expect(await valuesOf(world)).toMatchObject({ jc_test_status: "completed" });
  });
});

describe("values that vanished from a contact", () => {
  test("come back after a resync, by the next delivery", async () => {
    const world = await delivered();
    await world.portal.archiveProperty("jc_disc_d");
    expect(await valuesOf(world)).not.toHaveProperty("jc_disc_d");
    const { out } = await world.run(["resync-properties"]);
    expect(out).toMatch(/^jc_disc_d +created$/m);
    expect(out).toContain("1 contact will be sent again.");
    await succeed(world, ["run", "retry"]);
    expect(await valuesOf(world)).toMatchObject(DISC_SCORES);
  });

  test("come back for those contacts only that have such a value", async () => {
    const world = await delivered();
    await world.portal.archiveProperty("jc_mbti_type");
    expect(await resync(world)).toMatchObject({ created: ["jc_mbti_type"], due: 0 });
  });

  test("come back with the whole group, through a running service and without a hand", async () => {
    const world = await delivered();
    await serving(world);
    await world.portal.archiveGroup();
    expect(await valuesOf(world)).toEqual({});
    await resync(world);
    await until("the values stand again", async () => (await valuesOf(world))?.jc_disc_d === "68");
    expect(await valuesOf(world)).toMatchObject(DISC_SCORES);
  });

  test("come back when connecting again finds the property gone", async () => {
    const world = await delivered();
    await succeed(world, ["disconnect", "hubspot", "--yes"]);
    await world.portal.archiveProperty("jc_disc_d");
    expect((await world.run(["connect", "hubspot"])).out).toMatch(/properties +1 created, 16 there already/);
    await succeed(world, ["run", "retry"]);
    expect(await valuesOf(world)).toMatchObject(DISC_SCORES);
  });

  test("release what was held for the missing property", async () => {
    const world = await delivered();
    await world.portal.archiveProperty("jc_disc_d");
    await importResults(world, [invite({ email: PERSON, sent_at: "2024-06-01T09:00:00Z" })]);
    await world.run(["run", "retry"]);
    expect((await statusOf(world)).pushes).toMatchObject({ held: 1 });
    expect(await resync(world)).toMatchObject({ created: ["jc_disc_d"], due: 1 });
    await succeed(world, ["run", "retry"]);
    expect(await valuesOf(world)).toMatchObject(DISC_SCORES);
  });

  test("are not forgotten when the run that created their property broke off right after", async () => {
    const world = await delivered();
    for (const name of ["jc_disc_d", "jc_mbti_type"]) await world.portal.archiveProperty(name);
    await world.portal.fault({ status: 503, method: "POST", path: PROPERTIES, match: "jc_mbti_type" });
    const broken = await world.run(["resync-properties"]);
    expect(broken.code).toBe(6);
    await world.portal.clearFaults();
    expect(await resync(world)).toMatchObject({ created: ["jc_mbti_type"], due: 1 });
    await succeed(world, ["run", "retry"]);
    expect(await valuesOf(world)).toMatchObject(DISC_SCORES);
    expect(await resync(world)).toMatchObject({ due: 0 });
  });
});

describe("several runs at once", () => {
  test("share the work; whoever comes second meets what is there", async () => {
    const world = await connected();
    await emptyPortal(world);
    await world.portal.fault({ delayMs: 1, path: PROPERTIES });
    const runs = await Promise.all([1, 2, 3].map(() => world.run(["resync-properties", "--json"])));
    expect(runs.map(({ code, err }) => ({ code, err }))).toEqual(Array(3).fill({ code: 0, err: "" }));
    const refused = (await world.portal.requests()).filter(({ status }) => status === 409);
    expect(refused.length).toBeGreaterThan(0);
    await expectComplete(world);
  });

  const rounds = fc.sample(
    fc.record({
      victims: fc.constantFrom([0], [1], [0, 1]),
      /** So many calls after both were started. */
      afterCalls: fc.nat(45),
    }),
    { numRuns: 20, seed: 12 },
  );

  test(`killed in ${rounds.length} ways leave a portal that one more run completes`, async () => {
    const world = await delivered();
    await world.portal.fault({ delayMs: 5, path: PROPERTIES });
    const fates = { killed: 0, survived: 0 };
    for (const { victims, afterCalls } of rounds) {
      await emptyPortal(world);
      const before = (await world.portal.requests()).length;
      const programs = [0, 1].map(() => launch(world, ["resync-properties"]));
      const all = Promise.all(programs.map(({ ended }) => ended));
      let isOver = false;
      void all.then(() => {
        isOver = true;
      });
      await until(
        "the moment has come",
        async () => isOver || (await world.portal.requests()).length >= before + afterCalls,
      );
      for (const victim of victims) programs[victim]?.child.kill("SIGKILL");
      for (const { code, signal, err } of await all) {
        fates[signal === null ? "survived" : "killed"] += 1;
        expect({ code, signal, err }).toEqual(
          signal === null ? { code: 0, signal, err: "" } : { code: null, signal: "SIGKILL", err: "" },
        );
      }
      await resync(world);
      await expectComplete(world);
      await succeed(world, ["run", "retry"]);
      expect(await valuesOf(world)).toMatchObject(DISC_SCORES);
    }
    expect(fates.killed).toBeGreaterThan(5);
    expect(fates.survived).toBeGreaterThan(5);
  });
});
