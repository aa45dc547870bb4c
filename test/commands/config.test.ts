import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { freshWorld, type World } from "../world.ts";

function write(world: World, toml: string): string[] {
  const path = join(world.dir, "other.toml");
  writeFileSync(path, toml);
  return ["--config", path];
}

describe("config show", () => {
  test("names the origin of each value: flag over environment over file over default", async () => {
    const world = await freshWorld({ env: { JC_HUBSPOT_TIER: "paid", JC_ORG: "globex" } });
    const { json } = await world.run(["config", "show", "--json", "--org", "initech"]);
    expect(json).toMatchObject({
      version: 1,
      config: {
        org: { value: "initech", origin: "--org" },
        "hubspot.tier": { value: "paid", origin: "JC_HUBSPOT_TIER" },
        "hubspot.client_id": { value: "app-1", origin: world.configFile },
        "log.level": { value: "info", origin: "default" },
      },
    });
    expect(json).not.toHaveProperty("config.text");
  });

  test("writes values as the file does", async () => {
    const world = await freshWorld();
    const argv = write(world, '[schedule]\nretry_every = "90s"\nsweep_at = "03:05"\n');
    const { out } = await world.run(["config", "show", ...argv]);
    expect(out).toMatch(/^schedule\.retry_every +90s /m);
    expect(out).toMatch(/^schedule\.sweep_at +03:05 /m);
    expect((await world.run(["config", "show"])).out).toMatch(/^schedule\.retry_every +5m +default$/m);
  });

  test("shows what single orgs and sandboxes have of their own", async () => {
    const world = await freshWorld();
    const argv = write(
      world,
      `[orgs.big-enterprise]
       retention_days = 365
       residency = "eu"
       [sandbox.smartrecruiters]
       api_base = "https://api.sandbox.smartrecruiters.com"`,
    );
    const { json } = await world.run(["config", "show", "--json", ...argv]);
    expect(json).toMatchObject({
      config: {
        "orgs.big-enterprise.retention_days": { value: "365" },
        "orgs.big-enterprise.residency": { value: "eu" },
        "sandbox.smartrecruiters.api_base": { value: "https://api.sandbox.smartrecruiters.com" },
      },
    });
  });
});

describe("config path", () => {
  test("says which file is read and where the state rests", async () => {
    const world = await freshWorld();
    const { json } = await world.run(["config", "path", "--json"]);
    expect(json).toEqual({
      version: 1,
      config: world.configFile,
      configSearched: world.configFile,
      stateDir: world.stateDir,
    });
  });

  test("says where the file would be looked for when there is none", async () => {
    const world = await freshWorld();
    const home = join(world.dir, "etc");
    mkdirSync(home);
    const env = { JC_CONFIG: undefined, CONFIGURATION_DIRECTORY: `${home}:/elsewhere` };
    const { code, out } = await world.run(["config", "path"], { env });
    expect(code).toBe(0);
    expect(out).toContain(`${join(home, "config.toml")} (not there)`);
  });
});

describe("a configuration is refused, with words for the operator,", () => {
  const refused: [what: string, toml: string, message: string, hint: string][] = [
    [
      "when a key is mistyped",
      '[hubspot]\nclientid = "x"',
      "unknown key hubspot.clientid",
      "Did you mean hubspot.client_id?",
    ],
    [
      "when a table is mistyped",
      '[hubspto]\nclient_id = "x"',
      "unknown key hubspto.client_id",
      "Did you mean hubspot.client_id?",
    ],
    [
      "when an org's key is mistyped",
      "[orgs.acme]\nretention_day = 3",
      "unknown key orgs.acme.retention_day",
      "Did you mean orgs.acme.retention_days?",
    ],
    [
      "when a sandbox's key is mistyped",
      '[sandbox.hubspot]\napi_bas = "x"',
      "unknown key sandbox.hubspot.api_bas",
      "Did you mean sandbox.hubspot.api_base?",
    ],
    [
      "when a key is like none",
      '[weather]\nforecast = "rain"',
      "unknown key weather.forecast",
      "config show lists all keys",
    ],
    [
      "when a password stands in the database's URL",
      '[store]\nurl = "postgres://jc:pw@db/jc"',
      "store.url has a password in it",
      "PGPASSFILE",
    ],
    [
      "when the database's URL names no database",
      '[store]\nurl = "postgres://jc@db"',
      "store.url names no database",
      "postgres://user@host:5432/database",
    ],
    [
      "when the database's certificate is not to be looked at",
      '[store]\nurl = "postgres://jc@db/jc?sslmode=no-verify"',
      "store.url has another sslmode than verify-full or disable",
      "store.ca_file",
    ],
    [
      "when the database is for many machines, and the vault one machine's",
      '[store]\nurl = "postgres://jc@db/jc"',
      "store.url is for several machines, and a keychain is one machine's",
      'vault.backend = "sealed"',
    ],
    [
      "when the store is anything else",
      '[store]\nurl = "mysql://db"',
      "store.url must be sqlite: or postgres://",
      'store.url = "sqlite:"',
    ],
    [
      "when a direct way leads to no PostgreSQL",
      '[store]\ndirect_url = "postgres://jc@db/jc"',
      "store.direct_url is set, and store.url is not PostgreSQL's",
      'store.url = "sqlite:"',
    ],
    [
      "when a choice is none",
      '[hubspot]\ntier = "gold"',
      "hubspot.tier",
      "one of free, paid, marketplace, none",
    ],
    [
      "when a number is out of range",
      "[retention]\ndays = 0",
      "retention.days",
      "a whole number from 1 to 36500",
    ],
    [
      "when a number is a text",
      '[hubspot]\nredirect_port = "soon"',
      "hubspot.redirect_port",
      "a whole number from 1 to 65535",
    ],
    [
      "when a duration has no unit",
      "[schedule]\nretry_every = 5",
      "schedule.retry_every",
      "a duration, as 5m",
    ],
    [
      "when a time of day is none",
      '[schedule]\nsweep_at = "25:00"',
      "schedule.sweep_at",
      "a time of day in UTC, as 02:00",
    ],
    [
      "when an address has no port",
      '[serve]\nlisten = "localhost"',
      "serve.listen",
      "host:port, as 127.0.0.1:8470",
    ],
    ["when yes or no is neither", '[hubspot]\npkce = "maybe"', "hubspot.pkce", "true or false"],
    ["when orgs are no table", 'orgs = "acme"', "orgs must be a table", "Write [orgs.NAME]"],
    ["when it is no TOML", "org = acme\nsecret = whsec_abc", "line 1: this is no TOML", 'org = "acme"'],
  ];
  test.each(refused)("%s", async (_when, toml, message, hint) => {
    const world = await freshWorld();
    const { code, out, err } = await world.run(["config", "show", ...write(world, toml)]);
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toContain(message);
    expect(err).toContain(hint);
    expect(err).not.toContain("whsec_abc");
  });

  test("when the file that was named is not there", async () => {
    const world = await freshWorld();
    for (const run of [
      world.run(["status", "--config", "nowhere.toml"]),
      world.run(["status"], { env: { JC_CONFIG: "nowhere.toml" } }),
    ])
      expect(await run).toMatchObject({
        code: 2,
        err: expect.stringContaining(`${join(world.dir, "nowhere.toml")} cannot be read`),
      });
  });

  test("when a directory was named for the file", async () => {
    const world = await freshWorld();
    expect(await world.run(["status", "--config", world.dir])).toMatchObject({
      code: 2,
      err: `Error: ${world.dir} is a directory, not a configuration file\n  → Name the file in it, as --config ${join(world.dir, "config.toml")}\n`,
    });
  });

  test("when the environment says nonsense", async () => {
    const world = await freshWorld();
    const { code, err } = await world.run(["status"], { env: { JC_HUBSPOT_TIER: "gold" } });
    expect(code).toBe(2);
    expect(err).toContain("hubspot.tier (JC_HUBSPOT_TIER) must be one of");
  });
});
