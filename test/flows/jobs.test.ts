import { listKeysCommand } from "../../src/core/advice/command-lines.ts";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { JOBS } from "../../src/flows/jobs/jobs.ts";
import { VENDORS } from "../../src/vendors/index.ts";
import { loadConfig } from "../../src/shared/config.ts";
import { serving } from "../daemon/serving.ts";
import { connected, freshWorld, importResults, invite, until, type World } from "../world.ts";

const NAMES = JOBS.map(({ name }) => name);

describe("every job", () => {
  test("is named in the help of run, with what it does", async () => {
    const { out } = await (await freshWorld()).run(["run", "--help"]);
    const unwrapped = out.replaceAll(/\n {10,}/g, " ");
    for (const { name, does } of JOBS) expect(unwrapped).toMatch(new RegExp(`^ +${name} +${does}$`, "m"));
  });

  test("is named in the reference", () => {
    const reference = readFileSync(new URL("../../docs/reference.md", import.meta.url), "utf8");
    const [, section = ""] = /\n### run\n(.*?)\n### /s.exec(reference) ?? [];
    expect([...section.matchAll(/^ {2}([a-z]+) {2,}/gm)].map(([, name]) => name)).toEqual(NAMES);
  });

  test.each(NAMES)("%s runs by its name, as text and as JSON", async (name) => {
    const world = await connected();
    expect((await succeed(world, ["run", name])).out).toMatch(/^\d+ .*\n$/);
    const { json } = await succeed(world, ["run", name, "--json"]);
    const { version, failed = [], ...counts } = json as Record<string, unknown>;
    expect({ version, failed }).toEqual({ version: 1, failed: [] });
    expect(Object.values(counts).length).toBeGreaterThan(0);
    expect(Object.values(counts).every((n) => Number.isInteger(n))).toBe(true);
  });
});

describe("run with --org", () => {
  const OF_LOG = ["backup", "retention", "vacuum", "alerts"];

  test.each(NAMES)("does what is that org's, or says that the job is of the whole log: %s", async (name) => {
    const world = await connected();
    const { code, err } = await world.run(["run", name, "--org", "acme"]);
    if (!OF_LOG.includes(name)) return expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(code).toBe(2);
    expect(err).toContain(`${name} takes no --org`);
    expect(err.replaceAll(/\s+/g, " ")).toContain(
      "It is of the whole log: leave out --org. Jobs that do: retry, sweep,",
    );
  });

  test("leaves the results of other orgs where they are", async () => {
    const world = await connected();
    await world.portal.settings({ portalId: 9_100_002 });
    await succeed(world, ["connect", "hubspot", "--org", "globex"]);
    const pendingOf = async (org: string) => {
      const { json } = await succeed(world, ["status", "--org", org, "--json"]);
      return Object(json).pushes.pending;
    };
    const standing = async () => [await pendingOf("acme"), await pendingOf("globex")];
    await importResults(world, [invite(), invite({ org: "globex" }), invite({ org: "globex" })]);
    expect(await standing()).toEqual([1, 2]);
    const { json } = await succeed(world, ["run", "retry", "--org", "acme", "--json"]);
    expect(json).toMatchObject({ delivered: 1, pending: 0 });
    expect(await standing()).toEqual([0, 2]);
    expect((await succeed(world, ["run", "retry", "--json"])).json).toMatchObject({ delivered: 2 });
    const half = (org: string) =>
      invite({
        org,
        tests: [
          { slug: "disc", status: "assigned" },
          { slug: "mbti", status: "started" },
        ],
      });
    await importResults(world, [half("acme"), half("globex")]);
    expect((await succeed(world, ["run", "sweep", "--org", "globex", "--json"])).json).toMatchObject({
      raised: 1,
    });
    expect(await standing()).toEqual([0, 1]);
  });
});

test("serve runs each job that has due times, which are all but the one it does anyway", async () => {
  const world = await connected({ env: { JC_LOG_LEVEL: "debug" } });
  const file = { file: world.configFile, isRequired: true };
  const config = loadConfig({
    ...file,
    env: world.env,
    flags: {},
    listKeys: listKeysCommand,
    vendors: VENDORS,
  });
  const scheduled = JOBS.filter(({ due }) => due(config) !== null).map(({ name }) => name);
  expect(scheduled).toEqual(NAMES.filter((name) => name !== "retry"));
  const { running } = await serving(world);
  await until("all jobs began", () => jobsIn(running.err()).length === scheduled.length);
  expect(jobsIn(running.err())).toEqual(scheduled.toSorted());
});

test("a name that is none ends with 2 and the names there are", async () => {
  const { code, err } = await (await freshWorld()).run(["run", "sweeping"]);
  expect(code).toBe(2);
  for (const name of NAMES) expect(err).toContain(name);
});

/** As the journal names them when they begin. */
function jobsIn(journal: string): string[] {
  return [...new Set([...journal.matchAll(/ job +name=(\w+)/g)].map(([, name = ""]) => name))].toSorted();
}

async function succeed(world: World, argv: readonly string[]) {
  const run = await world.run(argv);
  expect(run, run.err).toMatchObject({ code: 0 });
  return run;
}
