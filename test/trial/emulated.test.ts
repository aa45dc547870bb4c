import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { launch } from "../end-to-end/program.ts";
import { freshWorld, type World } from "../world.ts";
import { reportOf } from "./world.ts";

/** What a trial leaves in the place for throw-away directories. */
function leftovers({ dir }: World): string[] {
  return readdirSync(dir).filter((name) => name.startsWith("jc-integrations-"));
}

describe("a trial on the emulator", () => {
  test.each([
    ["smartrecruiters", 11],
    ["hubspot", 5],
  ])("of %s passes without any account, configuration or service", async (vendor, steps) => {
    const world = await freshWorld();
    const run = await world.run(["sandbox-test", vendor, "--emulator", "--json"], {
      env: { JC_CONFIG: "/nowhere/config.toml", JC_STATE_DIR: "/nowhere" },
    });
    expect(run.code).toBe(0);
    expect(run.err).toBe("");
    const report = reportOf(run);
    expect(report).toMatchObject({ version: 1, vendor, passed: true });
    if (vendor === "smartrecruiters") expect(run.json).toMatchObject({ profile: "v1" });
    expect(report.steps.filter(({ status }) => status === "passed")).toHaveLength(steps);
  });

  test.each(["smartrecruiters", "hubspot"])(
    "of %s passes as the built program and leaves nothing",
    async (vendor) => {
      const world = await freshWorld();
      const env = { ...world.env, TMPDIR: world.dir };
      const { code, out, err } = await launch({ ...world, env }, ["sandbox-test", vendor, "--emulator"])
        .ended;
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(out).toContain("✓ cleaned up");
      expect(leftovers(world)).toEqual([]);
    },
  );

  test.each(["published", "v201907"])("speaks the configured profile: %s", async (profile) => {
    const world = await freshWorld();
    const env = { JC_SMARTRECRUITERS_PROFILE: profile };
    const run = await world.run(["sandbox-test", "smartrecruiters", "--emulator", "--json"], { env });
    expect(run.err).toBe("");
    expect(run.code).toBe(0);
    const report = reportOf(run);
    expect(run.json).toMatchObject({ profile: "published", passed: true });
    expect(report.steps.map(({ title, status }) => `${title}: ${status}`)).toEqual([
      "connected: passed",
      "subscribed: passed",
      "receiver reachable: passed",
      "1 candidate created: passed",
      "2 advanced to the stage: passed",
      "3 assessment triggered: passed",
      "4 candidate invited: passed",
      "5 completion seen: passed",
      "6 webhook received: passed",
      "7 result shown: passed",
      "cleaned up: passed",
    ]);
  });

  test("takes another test as well", async () => {
    const world = await freshWorld();
    const run = await world.run([
      "sandbox-test",
      "smartrecruiters",
      "--emulator",
      "--test",
      "mbti",
      "--json",
    ]);
    expect(run.code).toBe(0);
    expect(reportOf(run).steps.find(({ id }) => id === "scorecard")?.evidence).toContain("INFJ");
  });

  test("ends with a mistyped vendor as every command does", async () => {
    const world = await freshWorld();
    const { code, err } = await world.run(["sandbox-test", "hubspott", "--emulator"]);
    expect(code).toBe(2);
    expect(err).toContain("Did you mean hubspot?");
  });
});
