import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { APP, type AtsWorld, atsWorld, company, connectedAts } from "./world.ts";
import { succeed } from "../world.ts";

const PLACE = ["--job", "4711", "--stage", "Phone screen / 1"];
const GUIDE = { required: true, trigger: "auto", dueDays: 7, emailTemplate: "branded" };

function set(world: AtsWorld, ...flags: string[]) {
  return world.run(["catalog", "set", ...PLACE, ...flags]);
}

describe("catalog set", () => {
  test("lets a stage trigger a test, with the guide's choices unless others are given", async () => {
    const world = await connectedAts();
    expect(
      (await succeed(world, ["catalog", "set", ...PLACE, "--test", "disc", "--json"])).json,
    ).toMatchObject({
      jobId: "4711",
      stage: "Phone screen / 1",
      test: "disc",
      ...GUIDE,
      changed: true,
    });
    const { code, out } = await set(
      world,
      ...["--test", "big-five", "--optional", "--trigger", "manual"],
      ...["--due-days", "14", "--email-template", "default"],
    );
    expect(code).toBe(0);
    expect(out).toMatch(/Phone screen \/ 1 +big-five +optional +by hand +14 +default/);
    // A trial takes the sandbox's stages, not these.
    expect(out).not.toContain("sandbox-test");
  });

  test("keeps what stands there where nothing is said about it, and says when nothing changed", async () => {
    const world = await connectedAts();
    await set(world, "--test", "disc", "--optional", "--due-days", "3");
    expect((await set(world, "--trigger", "manual", "--json")).json).toMatchObject({
      test: "disc",
      required: false,
      dueDays: 3,
      trigger: "manual",
      changed: true,
    });
    expect((await set(world, "--trigger", "manual", "--json")).json).toMatchObject({ changed: false });
  });

  test("makes a candidate who reaches the stage take the test", async () => {
    const world = await connectedAts();
    await set(world, "--test", "disc");
    const { api } = await company(world);
    const person = { firstName: "Ann", lastName: "Lee", email: "ann@example.com" };
    const { body } = await api("POST", "/v1/candidates", person);
    const { id } = v.parse(v.object({ id: v.string() }), body);
    await api("POST", `/v1/candidates/${id}/jobs/4711`);
    const move = { status: "IN_REVIEW", subStatus: "Phone screen / 1" };
    await api("PUT", `/v1/candidates/${id}/jobs/4711/status`, move);
    expect((await api("GET", `/v1/assessments?candidateId=${id}`)).body).toMatchObject({
      content: [{ test: "disc", status: "invited" }],
    });
  });

  test.each([
    [["--test", "disc", "--required", "--optional"], "exclude each other"],
    [["--test", "disc", "--due-days", "0"], "1 to 365"],
    [["--test", "disc", "--due-days", "soon"], "1 to 365"],
    [["--test", "disc", "--trigger", "often"], "auto, manual"],
    [["--test", "disc", "--email-template", "plain"], "branded, default"],
    [["--test", "  "], "--test"],
  ])("refuses %j and changes nothing", async (flags, words) => {
    const world = await connectedAts();
    const { code, err } = await set(world, ...flags);
    expect(code).toBe(2);
    expect(err).toContain(words);
    expect(
      (await world.smartrecruiters.requests({ to: "/assessment" })).filter(({ method }) => method === "PUT"),
    ).toEqual([]);
  });

  test("takes a test that we do not know only when that is meant, and changes nothing before", async () => {
    const world = await connectedAts();
    await set(world, "--test", "disc");
    const { code, err } = await set(world, "--test", "dics");
    expect(code).toBe(2);
    expect(err).toContain('"dics" is none of the tests we know: disc, big-five');
    expect(err).toContain("Did you mean disc? Nothing was changed.");
    const show = async () => (await world.run(["catalog", "show", ...PLACE, "--json"])).json;
    expect(await show()).toMatchObject({ test: "disc" });
    expect((await set(world, "--test", "dics", "--yes")).code).toBe(0);
    expect(await show()).toMatchObject({ test: "dics" });
  });

  test("refuses a job that the vendor does not know, and changes nothing", async () => {
    const world = await connectedAts();
    await world.smartrecruiters.settings({ jobs: ["4712"] });
    const { code, err } = await set(world, "--test", "disc", "--yes");
    expect(code).toBe(2);
    expect(err).toContain('SmartRecruiters knows no job 4711 with a stage "Phone screen / 1"');
    expect(err).toContain("Nothing was changed.");
    await world.smartrecruiters.settings({ jobs: ["4711"] });
    expect(await world.run(["catalog", "show", ...PLACE])).toMatchObject({ code: 2 });
    expect((await set(world, "--test", "disc")).code).toBe(0);
  });

  test("names the flag that is missing where nobody can be asked", async () => {
    const world = await connectedAts();
    for (const [argv, flag, example] of [
      [["catalog", "set"], "--job is missing", "--job 4711"],
      [["catalog", "set", "--job", "4711"], "--stage is missing", '--stage "Assessment"'],
      [["catalog", "set", ...PLACE], "--test is missing", "--test disc"],
      [["catalog", "show", "--job", "4711"], "--stage is missing", "--stage"],
      [["catalog", "list"], "--job is missing", "--job"],
    ] as const) {
      const { code, err } = await world.run(argv);
      expect({ argv, code }).toEqual({ argv, code: 2 });
      expect(err).toContain(flag);
      expect(err).toContain(example);
    }
  });

  test("wants a connection first", async () => {
    const world = await atsWorld();
    const { code, err } = await set(world, "--test", "disc");
    expect(code).toBe(4);
    expect(err).toContain("jc-integrations connect smartrecruiters --org acme");
  });
});

describe("catalog list and show", () => {
  test("show what the stages of a job trigger", async () => {
    const world = await connectedAts();
    await set(world, "--test", "disc");
    await succeed(world, [
      "catalog",
      "set",
      "--job",
      "4711",
      "--stage",
      "Final",
      "--test",
      "eq",
      "--optional",
    ]);
    expect((await succeed(world, ["catalog", "list", "--job", "4711", "--json"])).json).toMatchObject({
      job: "4711",
      stages: [
        { stage: "Phone screen / 1", test: "disc", ...GUIDE },
        { stage: "Final", test: "eq", required: false },
      ],
    });
    const { out } = await succeed(world, ["catalog", "list", "--job", "4711"]);
    expect(out).toMatch(/Final +eq +optional +by itself +7 +branded/);
    expect((await succeed(world, ["catalog", "show", ...PLACE, "--json"])).json).toMatchObject({
      test: "disc",
    });
    expect((await succeed(world, ["catalog", "show", ...PLACE])).out).toMatch(/disc +required/);
  });

  test("say how to set one where there is none", async () => {
    const world = await connectedAts();
    const { out } = await succeed(world, ["catalog", "list", "--job", "unknown"]);
    expect(out).toContain(
      'jc-integrations catalog set --job unknown --stage "<stage>" --test <test> --org acme',
    );
    const { code, err } = await world.run(["catalog", "show", ...PLACE]);
    expect(code).toBe(2);
    expect(err).toContain(
      'jc-integrations catalog set --job 4711 --stage "Phone screen / 1" --test <test> --org acme',
    );
  });

  test("are of one company, and refuse an id that names nothing", async () => {
    const world = await connectedAts({ config: '[orgs.globex]\nsmartrecruiters_client_id = "sr-globex"\n' });
    await succeed(world, ["connect", "smartrecruiters", "--org", "globex"]);
    await set(world, "--test", "disc");
    expect(APP).not.toBe("sr-globex");
    const theirs = await succeed(world, ["catalog", "list", "--job", "4711", "--org", "globex", "--json"]);
    expect(theirs.json).toMatchObject({ stages: [] });
    const { code, err } = await world.run(["catalog", "list", "--job", ".."]);
    expect(code).toBe(2);
    expect(err).toContain("names nothing in SmartRecruiters");
  });
});
