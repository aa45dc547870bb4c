/** `config init`: a first configuration, asked for or said. */
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { atTerminal, missingForTerminal } from "../end-to-end/terminal.ts";
import { freshWorld } from "../world.ts";

const ENTER = "\r";

/** A world without a configuration, and where one would lie. */
async function newcomer() {
  const world = await freshWorld();
  const file = join(world.dir, "etc/jc/config.toml");
  world.env = { ...world.env, JC_CONFIG: file };
  const run = (words: readonly string[], stdin = "") => world.run(words, { env: { JC_CONFIG: file }, stdin });
  return { world, file, run };
}

const TYPED = [
  "--org",
  "acme",
  "--set",
  "hubspot.client_id=1234",
  "--set",
  "vault.backend=sealed",
  "--set",
  "vault.key_file=vault.key",
  "--set",
  "retention.days=30",
];

test("writes what is said, for its owner alone, and the program takes it", async () => {
  const { file, run } = await newcomer();
  const { code, out, err } = await run(["config", "init", ...TYPED]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toContain("secrets set hubspot.client-secret\n");
  expect(out).toMatch(/connect hubspot --org acme\n$/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(file, "..")).mode & 0o777).toBe(0o700);
  expect(readFileSync(file, "utf8")).toBe(`# Written by config init; docs/configuration.md tells of every key.
org = "acme"
[hubspot]
client_id = "1234"
[vault]
backend = "sealed"
key_file = "vault.key"
[retention]
days = 30
`);
  expect(await run(["config", "check"])).toMatchObject({ code: 0 });
  expect(await run(["secrets", "set", "hubspot.client-secret"], "any")).toMatchObject({ code: 0 });
});

test("never writes over a file that is there", async () => {
  const world = await freshWorld();
  const before = readFileSync(world.configFile, "utf8");
  const run = await world.run(["config", "init", ...TYPED, "--yes"]);
  expect(run).toMatchObject({
    code: 2,
    err: expect.stringContaining("is there already, and stays as it is"),
  });
  expect(readFileSync(world.configFile, "utf8")).toBe(before);
});

test.each([
  [["--set", "hubspot.teir=paid"], "Did you mean hubspot.tier?"],
  [["--set", "hubspot.tier=gratis"], "must be one of free, paid"],
  [["--set", "hubspot.client_secret=x"], "secrets set hubspot.client-secret"],
  [["--set", "orgs.acme.nonsense=x"], "unknown key orgs.acme.nonsense"],
  [["--set", "nonsense"], "It is a key and its value"],
  [["--set", "hubspot.client_id="], "hubspot.client_id has no value"],
  [["--org", "acme", "--set", "hubspot.client_id= "], "hubspot.client_id has no value"],
  [["--set", 'org=a"b'], "an org is a slug"],
  [[], "nobody is here to be asked what to write"],
])("writes nothing where %j is wrong", async (words, said) => {
  const { file, run } = await newcomer();
  expect(await run(["config", "init", ...words])).toMatchObject({
    code: 2,
    err: expect.stringContaining(said),
  });
  expect(existsSync(file)).toBe(false);
});

test("says so where it cannot write", async () => {
  const world = await freshWorld();
  writeFileSync(join(world.dir, "a-file"), "");
  const run = await world.run([
    "config",
    "init",
    ...TYPED,
    "--config",
    join(world.dir, "a-file/config.toml"),
  ]);
  expect(run).toMatchObject({ code: 2, err: expect.stringContaining("cannot be written") });
});

test.skipIf(missingForTerminal !== null)(
  "asks at a terminal, and leaves out what is not answered",
  async () => {
    const { world, file } = await newcomer();
    const terminal = atTerminal(world, ["config", "init", "--set", "hubspot.tier=paid"]);
    await terminal.shows("the JobCannon organisation");
    terminal.type(`${ENTER}`);
    await terminal.shows("client id of your HubSpot app");
    terminal.type(`77${ENTER}`);
    await terminal.shows("client id of your SmartRecruiters app");
    terminal.type(ENTER);
    await terminal.shows("where tokens rest");
    terminal.type(ENTER);
    expect(await terminal.ended, terminal.screen()).toBe(0);
    const text = readFileSync(file, "utf8");
    expect(text).toContain('[hubspot]\ntier = "paid"\nclient_id = "77"\n');
    expect(text).toContain('backend = "keychain"');
    expect(text).not.toContain("smartrecruiters");
  },
);

test.skipIf(missingForTerminal !== null)("Ctrl-C writes nothing", async () => {
  const { world, file } = await newcomer();
  const terminal = atTerminal(world, ["config", "init"]);
  await terminal.shows("the JobCannon organisation");
  terminal.type("\u0003");
  expect(await terminal.ended).toBe(3);
  expect(existsSync(file)).toBe(false);
});
