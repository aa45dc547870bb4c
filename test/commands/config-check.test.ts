/** All that is wrong with a configuration at once, and what of it nothing heeds. */
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { globalKeys, orgKeys } from "../../src/shared/config-keys.ts";
import { VENDORS } from "../../src/vendors/index.ts";
import { launch, launchService } from "../end-to-end/program.ts";
import { freshWorld, until, type World } from "../world.ts";

const check = (world: World, ...argv: string[]) => launch(world, ["config", "check", ...argv]).ended;

interface Checked {
  problems: { message: string; hint: string | null }[];
  warnings: string[];
}

async function checked(toml: string, env: Record<string, string> = {}): Promise<Checked & { code: number }> {
  const world = await freshWorld({ env });
  writeFileSync(world.configFile, toml);
  const { code, json } = await world.run(["config", "check", "--json"]);
  return { ...(json as Checked), code };
}

const messagesOf = ({ problems }: Checked) => problems.map(({ message }) => message).join("\n");

describe("config check", () => {
  test("says everything wrong at once, where other commands stop at the first fault", async () => {
    const world = await freshWorld({
      env: { HTTPS_PROXY: "http://", JC_LOG_LEVEL: "loud", JC_LOG_LEVLE: "info" },
    });
    const lines = [
      'org = "acme corp"',
      "[hubspot]",
      'client_secret = "s3cret-of-the-app"',
      'tier = "gold"',
      'api_base = "api.hubapi.com"',
      "[serve]",
      'listen = "127.0.0.1:99999"',
      'public_url = "http://example.org"',
      "[schedule]",
      "retry_every = 5",
      'sweep_at = "25:00"',
      "[hubspot]",
      "clientid = 3",
      "[network]",
      'ca_file = "missing.pem"',
      "[backup]",
      'dir = "/dev/null"',
      "[vault]",
      'backend = "sealed"',
      'key_file = "/nowhere/vault.key"',
      "[orgs.globex]",
      'smartrecruiters_client_secret = "s3cret-of-globex"',
      "retention_days = no",
      'residency = "moon"',
      "[sandbox.hubspto]",
      "[weather]",
    ];
    writeFileSync(world.configFile, lines.join("\n"));
    const { code, out, err } = await check(world);
    expect(code).toBe(2);
    const expected = [
      "the environment sets the unknown key JC_LOG_LEVLE\n  Did you mean JC_LOG_LEVEL?",
      "log.level (JC_LOG_LEVEL) must be one of",
      "line 12: [hubspot] is written a second time",
      "line 23: this is no TOML",
      "hubspot.client_secret is a secret, and secrets rest in the vault alone\n  jc-integrations secrets set hubspot.client-secret,",
      "secrets set smartrecruiters.client-secret --org globex,",
      "unknown key hubspot.clientid\n  Did you mean hubspot.client_id?",
      "unknown key sandbox.hubspto",
      "unknown key weather",
      "must be one of free, paid, marketplace, none",
      "must be one of eu, us",
      "must be host:port, as 127.0.0.1:8470",
      "must be a duration, as 5m",
      "must be a time of day in UTC, as 02:00",
      "hubspot.api_base is no https URL",
      "serve.public_url is no https URL",
      `network.ca_file: there is no file ${join(world.dir, "missing.pem")}`,
      "vault.key_file: there is no directory /nowhere",
      "backup.dir: /dev/null is no directory",
      '"acme corp" is no org',
      "HTTPS_PROXY is no address of a proxy",
    ];
    for (const words of expected) expect(out).toContain(words);
    expect(out.match(/^✗/gm)).toHaveLength(expected.length);
    expect(err).toContain(`Error: ${expected.length} problems in the configuration`);
    expect(out + err).not.toContain("s3cret");
  });

  test.each([
    ["0.0.0.0:8471", 2],
    ["[::]:8471", 2],
    ["[::1]:8471", 0],
    ["[0:0:0:0:0:0:0:1]:8471", 0],
    ["[::ffff:7f00:1]:8471", 0],
    ["[::2]:8471", 2],
    ["[::ffff:c000:201]:8471", 2],
    ["none", 0],
  ])("an admin listener at %s without TLS is told before serve ends with it", async (address, code) => {
    const found = await checked('[hubspot]\nclient_id = "app"', { JC_SERVE_ADMIN_LISTEN: address });
    expect(found.code).toBe(code);
    expect(messagesOf(found).includes("in the clear")).toBe(code === 2);
  });

  test("is content with what serves, and with no file at all", async () => {
    const world = await freshWorld();
    expect(await check(world)).toMatchObject({
      code: 0,
      out: `${world.configFile}\nNothing is wrong with it.\n`,
    });
    const without = { ...world, env: {} };
    expect(await check(without)).toMatchObject({ code: 0, out: expect.stringContaining("(not there)") });
    expect(await check(without, "--config", "/nowhere.toml")).toMatchObject({
      code: 2,
      out: expect.stringContaining("/nowhere.toml cannot be read"),
    });
  });

  test("says that an empty file, or one of another section, names no app", async () => {
    for (const toml of ["", "[retention]\ndays = 30\n"]) {
      const { code, warnings } = await checked(toml);
      expect([code, warnings]).toEqual([0, [expect.stringContaining("before hubspot.client_id or")]]);
    }
    expect((await checked('[orgs.globex]\nsmartrecruiters_client_id = "app"')).warnings).toEqual([]);
  });

  test.each([
    ["a key twice", 'org = "a"\norg = "b"', "line 2: org is written a second time"],
    ["a table for a list of them", "[[hubspot]]\ntier = 1", "unknown key hubspot"],
    ["orgs without tables", 'orgs = "acme"', "orgs must be a table"],
    [
      "a tier without limits for the vendor itself",
      '[hubspot]\ntier = "none"',
      'the tier "none" is for an emulator',
    ],
    ["a secret on its own", 'client_secret = "x"', "client_secret is a secret"],
    ["a bot's token", '[alerts.telegram]\nbot_token = "x"', "alerts.telegram.bot_token is a secret"],
    ["a port that is none", "[hubspot]\nredirect_port = 70000", "a whole number from 1 to 65535"],
    ["a directory for a file", '[network]\nca_file = "/"', "network.ca_file: / is no file"],
    [
      "an address of the sandbox without scheme",
      '[sandbox.hubspot]\napi_base = "x"',
      "sandbox.hubspot.api_base is no https URL",
    ],
  ])("finds %s", async (_, toml, words) => {
    const found = await checked(toml);
    expect(found.code).toBe(2);
    expect(messagesOf(found)).toContain(words);
  });

  test("names the command for a secret in the environment", async () => {
    const { problems } = await checked("", { JC_HUBSPOT_CLIENT_SECRET: "x" });
    expect(problems).toEqual([
      {
        message:
          "the environment's JC_HUBSPOT_CLIENT_SECRET is a secret, and secrets rest in the vault alone",
        hint: "jc-integrations secrets set hubspot.client-secret, and take it out there.",
      },
    ]);
  });
});

const ELSEWHERE = `
[store]
region = "us"
[orgs.big-enterprise]
residency = "eu"
`;

describe("an org whose data shall not be where the log is", () => {
  const warnings = ['orgs.big-enterprise.residency = "eu", and this log is in us (store.region)'];

  test("is a warning of config check, with 0, of status, and of serve at its start", async () => {
    const world = await freshWorld();
    expect((await world.run(["status", "--json"])).json).toMatchObject({ settingWarnings: [] });
    appendFileSync(world.configFile, ELSEWHERE);
    const { code, json } = await world.run(["config", "check", "--json"]);
    expect({ code, json }).toMatchObject({ code: 0, json: { problems: [], warnings } });
    const { out } = await world.run(["status"]);
    for (const words of warnings) expect(out).toContain(`! ${words}\n`);
    const service = await launchService(world);
    await until("serve has told", () => warnings.every((words) => service.err().includes(words)));
  });

  test("is none where both are one", async () => {
    const found = await checked(
      '[hubspot]\nclient_id = "app"\n[store]\nregion = "us"\n[orgs.acme]\nresidency = "us"\n[serve]\nadmin_listen = "127.0.0.1:8471"',
    );
    expect(found).toMatchObject({ code: 0, problems: [], warnings: [] });
  });
});

describe("every key", () => {
  const SRC = new URL("../../src/", import.meta.url);
  const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".ts"),
  );
  const reading = files
    .filter((path) => !/^shared\/(config|settings)|keys\.ts$/.test(path))
    .map((path) => ({ path, text: readFileSync(new URL(path, SRC), "utf8") }));
  /** A vendor's own by its name within its folder, all others by their paths. */
  const isRead = (key: string): boolean => {
    const vendor = VENDORS.find((each) =>
      new RegExp(`^(orgs\\.\\*\\.)?${each.vendor}[._]`).test(key),
    )?.vendor;
    if (vendor !== undefined && !["jobcannon.result_base", "jobcannon.invites_url"].includes(key)) {
      const name = key.replace(/^orgs\.\*\./, "").slice(vendor.length + 1);
      const own = reading.filter(({ path }) => path.startsWith(`vendors/${vendor}/`));
      return own.some(({ text }) => new RegExp(`\\bown\\.${name}\\b`).test(text));
    }
    const word = key.startsWith("orgs.*.") ? `?.${key.slice("orgs.*.".length)}` : `"${key}"`;
    return key === "org" || reading.some(({ text }) => text.includes(word));
  };
  const keys = [
    ...Object.keys(globalKeys(VENDORS)),
    ...Object.keys(orgKeys(VENDORS)).map((name) => `orgs.*.${name}`),
  ].filter((key) => key !== "store.url");

  test.each(keys)("%s is read by the program", (key) => {
    expect(isRead(key)).toBe(true);
  });

  test("and one that nobody reads would be found", () => {
    expect(isRead("serve.nonsense")).toBe(false);
  });
});
