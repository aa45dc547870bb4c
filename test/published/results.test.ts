/** Results of completed invites as values of the company's properties and as notes. */
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { disc, importResults, type InviteTest, succeed, until, type World } from "../world.ts";
import { type Application, apply, completed, control, define, NUMBER, resultOf } from "./company.ts";
import { isProbe, publishedWorld, rowOf, VENDOR } from "./world.ts";

const EMAIL = "ann@example.org";
const VALUES = { jc_disc_d: 68, jc_disc_i: 41, jc_disc_s: 55, jc_disc_c: 80 };
const MBTI: InviteTest = { slug: "mbti", status: "completed", result: { type: "INFJ-T" } };
const LATER = "2024-05-16T10:00:00Z";

async function connectedWorld(options: Parameters<typeof publishedWorld>[0] = {}) {
  const world = await publishedWorld(options);
  await succeed(world, ["connect", VENDOR]);
  return world;
}

async function withApplication(options: Parameters<typeof publishedWorld>[0] = {}) {
  const world = await connectedWorld(options);
  return { world, of: await apply(world, { email: EMAIL }) };
}

const deliver = (world: World) => world.run(["run", "retry", "--json"]);

async function told(world: World, of: Application, ...tests: InviteTest[]): Promise<void> {
  await importResults(world, [completed("inv_1", { email: EMAIL, of, tests })]);
  await deliver(world);
}

async function push(world: World, id = "inv_1") {
  const { json } = await world.run(["invites", "show", id, "--reveal", "--json"]);
  const Shown = v.object({
    pushes: v.array(
      v.object({
        vendor: v.string(),
        subject: v.string(),
        state: v.string(),
        heldCause: v.nullable(v.string()),
        warnings: v.array(v.object({ field: v.string(), reason: v.string() })),
      }),
    ),
  });
  return v.parse(Shown, json).pushes.find(({ vendor }) => vendor === VENDOR);
}

const callsTo = async (world: World, path: string) =>
  (await world.smartrecruiters.requests({ to: path }))
    .filter((each) => !isProbe(each))
    .map(({ status }) => status);

describe("a completed invite of the published profile", () => {
  test("fills the properties that the company has, and leaves a note for the job's hiring team", async () => {
    const { world, of } = await withApplication();
    await told(world, of, disc(), MBTI);
    const { properties, notes } = await resultOf(world, of);
    expect(properties).toEqual({ ...VALUES, jc_mbti_type: "INFJ", jc_completed_at: expect.any(String) });
    expect(notes).toEqual([
      {
        content: [
          `JobCannon: DISC, MBTI #[CANDIDATE:${of.candidateId}]`,
          "DISC: Dominance 68, Influence 41, Steadiness 55, Conscientiousness 80; MBTI: INFJ",
          "https://jobcannon.io/business/dashboard/invites/inv_1",
        ].join("\n"),
        correlationId: expect.stringMatching(/^inv_1-\d+$/),
        shareWith: { users: [], hiringTeamOf: ["j1"], everyone: false, openNote: false },
      },
    ]);
    expect(await push(world)).toMatchObject({ subject: "jc_inv_1", state: "delivered", warnings: [] });
  });

  test.each([true, false])(
    "finds properties by key or by label, written by id; keys shown: %s",
    async (showsKeys) => {
      const world = await publishedWorld();
      await world.set({ showsKeys });
      await define(world, [
        {
          id: "p-1",
          key: showsKeys ? "jc_disc_d" : "x",
          label: showsKeys ? "x" : "jc disc - dominance",
          type: "TEXT",
        },
        { id: "jc_iq_score", key: "y", label: "IQ", type: "PERCENT" },
        { id: "p-3", key: "jc_disc_c", label: "JC DISC — Conscientiousness", type: "BOOLEAN" },
      ]);
      await succeed(world, ["connect", VENDOR]);
      const of = await apply(world, { email: EMAIL });
      await told(world, of, disc(), { slug: "iq-test", status: "completed", result: { score: 121 } });
      const { properties } = await resultOf(world, of);
      expect(properties).toEqual({ [showsKeys ? "jc_disc_d" : "x"]: "68", y: 121 });
      expect((await rowOf(world))?.banner).toContain("jc_disc_c (it is BOOLEAN there, and should be NUMBER)");
    },
  );

  test.each(["refuses all", "is skipped"])(
    "writes all others where a property is gone that was there when it was looked: one unknown %s",
    async (unknownProperty) => {
      const { world, of } = await withApplication();
      await world.set({ unknownProperty });
      await define(world, [NUMBER("jc_disc_i")]);
      await control(world, "/properties", [
        { id: "5b1f0a4e-0000-4000-8000-000000000001", ...{ key: "jc_disc_d", label: "D", type: "NUMBER" } },
        { id: "5b1f0a4e-0000-4000-8000-000000000004", ...{ key: "jc_disc_c", label: "C", type: "NUMBER" } },
      ]);
      await told(world, of, disc());
      const { properties, notes } = await resultOf(world, of);
      expect(properties).toEqual({ jc_disc_d: 68, jc_disc_c: 80 });
      expect(notes).toHaveLength(1);
      const { state, warnings } = (await push(world)) ?? {};
      expect(state).toBe("delivered");
      const refused = unknownProperty === "refuses all" ? ["jc_completed_at", "jc_disc_i", "jc_disc_s"] : [];
      expect(warnings?.map(({ field }) => field).toSorted()).toEqual(refused);
    },
  );

  test("is told again in properties alone where nothing changed; a changed one gets one more note, which names the one it replaces", async () => {
    const { world, of } = await withApplication();
    await told(world, of, disc());
    const [first] = (await resultOf(world, of)).notes;
    await succeed(world, ["replay", "--vendor", VENDOR, "--status", "delivered", "--yes"]);
    expect((await resultOf(world, of)).notes).toEqual([first]);
    expect(await callsTo(world, "/properties")).toEqual([204, 204]);
    await importResults(world, [
      completed("inv_1", { email: EMAIL, of, tests: [disc([70, 41, 55, 80])], at: LATER }),
    ]);
    await deliver(world);
    const { properties, notes } = await resultOf(world, of);
    expect(properties).toMatchObject({ jc_disc_d: 70 });
    expect(notes).toHaveLength(2);
    expect(notes[1]?.content).toContain("Dominance 70");
    expect(notes[1]?.content).toMatch(
      new RegExp(
        `This replaces the note of \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC \\(${first?.correlationId}\\)\\.$`,
      ),
    );
    expect(notes[1]?.correlationId).not.toBe(first?.correlationId);
  });

  test.each([
    ["properties", { notes: 0, values: 5 }],
    ["note", { notes: 1, values: 0 }],
  ])("goes where smartrecruiters.results says: %s", async (results, wanted) => {
    const { world, of } = await withApplication({ env: { JC_SMARTRECRUITERS_RESULTS: results } });
    await told(world, of, disc());
    const { properties, notes } = await resultOf(world, of);
    expect({ notes: notes.length, values: Object.keys(properties).length }).toEqual(wanted);
  });

  test("mentions nobody and holds no tags, whatever a test is called", async () => {
    const { world, of } = await withApplication();
    const dimensions = [{ name: "<b>@[USER:7] #[CANDIDATE:8]</b>", score: 5 }];
    await told(world, of, { slug: "grit", status: "completed", result: { dimensions } });
    const { notes } = await resultOf(world, of);
    expect(notes[0]?.content).toContain("Grit".toLowerCase());
    expect(notes[0]?.content).not.toMatch(/[<>]|@\[|CANDIDATE:8\]<|#\[CANDIDATE:8/);
  });

  test("waits for a scope, and writes the note once it is granted, once", async () => {
    const { world, of } = await withApplication();
    await world.smartrecruiters.settings({ grantedScopes: ["candidates_read", "candidates_manage"] });
    await told(world, of, disc());
    expect(await push(world)).toMatchObject({ state: "held", heldCause: "scope" });
    expect((await rowOf(world))?.banner).toContain("messages_write");
    await world.smartrecruiters.settings({ grantedScopes: null });
    await succeed(world, ["connect", VENDOR]);
    await deliver(world);
    const { properties, notes } = await resultOf(world, of);
    expect(properties).toMatchObject(VALUES);
    expect(notes).toHaveLength(1);
  });

  test("is rejected where its candidate is gone, with the vendor's words", async () => {
    const { world, of } = await withApplication();
    await told(world, { ...of, candidateId: "pc404" }, disc());
    expect(await push(world)).toMatchObject({ state: "rejected" });
    expect(await callsTo(world, "/messages/shares")).toEqual([]);
  });

  test("whose note a proxy's page answered is not taken for told, and is one note once it is", async () => {
    const { world, of } = await withApplication();
    await world.smartrecruiters.fault({
      status: 200,
      path: "/messages/shares",
      times: 1,
      body: "<html>Sign in</html>",
    });
    await told(world, of, disc());
    expect((await resultOf(world, of)).notes).toEqual([]);
    expect(await push(world)).toMatchObject({ state: "pending" });
    await deliver(world);
    expect((await resultOf(world, of)).notes).toHaveLength(1);
    expect(await push(world)).toMatchObject({ state: "delivered" });
  });

  test("comes again while the vendor fails, and is one note all the same", async () => {
    const { world, of } = await withApplication();
    await world.smartrecruiters.fault({ status: 503, times: 2 });
    await world.smartrecruiters.fault({ status: 429, times: 1, path: "/messages" });
    await told(world, of, disc());
    await until("it is delivered", async () => {
      await deliver(world);
      return (await push(world))?.state === "delivered";
    });
    expect((await resultOf(world, of)).notes).toHaveLength(1);
  });
});

describe("resync-properties --vendor smartrecruiters", () => {
  test("prints what an administrator should create, with types, and creates nothing", async () => {
    const world = await connectedWorld();
    const { json, out } = await succeed(world, [
      "resync-properties",
      "--vendor",
      VENDOR,
      "--dry-run",
      "--json",
    ]);
    expect(json).toMatchObject({
      created: [],
      existing: expect.arrayContaining([expect.stringMatching(/^jc_disc_d \(/)]),
      wanted: expect.arrayContaining([
        { name: "jc_iq_score", label: "JC IQ Score", type: "NUMBER" },
        { name: "jc_result_url", label: "JC Result URL", type: "TEXT" },
      ]),
    });
    expect(out).not.toContain('"name":"jc_disc_d"');
    const shown = await succeed(world, ["resync-properties", "--vendor", VENDOR]);
    expect(shown.out).toContain("An administrator there can create these; then run this again.");
    expect(shown.out).toMatch(/jc_riasec_holland +JC RIASEC Holland Code +TEXT/);
    expect(await callsTo(world, "/configuration/candidate-properties")).not.toContain(201);
  });

  test("is not needed for long: the hourly look finds what was made or taken away, and has it filled", async () => {
    const { world, of } = await withApplication();
    await told(world, of, disc());
    await define(world, [NUMBER("jc_disc_d")]);
    expect((await succeed(world, ["run", "properties", "--json"])).json).toMatchObject({
      checked: 1,
      due: 1,
    });
    await deliver(world);
    expect((await resultOf(world, of)).properties).toEqual({ jc_disc_d: 68 });
    expect((await push(world))?.warnings).toEqual([]);
    expect((await succeed(world, ["run", "properties", "--json"])).json).toMatchObject({ due: 0 });
  });

  test("has what was told before filled into properties that are there since, without another note", async () => {
    const { world, of } = await withApplication();
    await define(world, [NUMBER("jc_disc_d")]);
    await succeed(world, ["resync-properties", "--vendor", VENDOR]);
    await told(world, of, disc());
    await define(world, [NUMBER("jc_disc_d"), NUMBER("jc_disc_i")]);
    const { json } = await succeed(world, ["resync-properties", "--vendor", VENDOR, "--json"]);
    expect(json).toMatchObject({ due: 1 });
    await deliver(world);
    const { properties, notes } = await resultOf(world, of);
    expect(properties).toEqual({ jc_disc_d: 68, jc_disc_i: 41 });
    expect(notes).toHaveLength(1);
  });
});
