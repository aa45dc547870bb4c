/** What a script can tell from how a command ended. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import { ERROR_CODES } from "../../src/shared/errors.ts";
import { serving } from "../daemon/serving.ts";
import { fakeClock } from "../fake-clock.ts";
import { follow } from "../oauth/browser.ts";
import { connected, freshWorld, invite, type Run, until, type World } from "../world.ts";

const ErrorLine = v.strictObject({
  version: v.literal(1),
  error: v.strictObject({
    code: v.picklist([...Object.keys(ERROR_CODES), "BUG"]),
    message: v.string(),
    hint: v.optional(v.string()),
  }),
});

/** The one line on stderr that a script reads. */
function errorOf({ err, out }: Run) {
  expect(out).toBe("");
  expect(err.trimEnd().split("\n")).toHaveLength(1);
  return v.parse(ErrorLine, JSON.parse(err)).error;
}

async function withClientSecret(world: World): Promise<World> {
  await world.run(["secrets", "set", "hubspot.client-secret"], { stdin: "a client's secret" });
  return world;
}

describe("a command ends with", () => {
  test("0 when it is done", async () => {
    const world = await freshWorld();
    expect(await world.run(["status"])).toMatchObject({ code: 0, err: "" });
  });

  test("1 for a bug, with its stack and the words that it is one", async () => {
    const clock = fakeClock();
    const world = await freshWorld({ clock });
    clock.now = () => {
      throw new Error("the clock fell off the wall");
    };
    const { code, err } = await world.run(["status"]);
    expect(code).toBe(1);
    expect(err).toContain("Error: this is a bug: the clock fell off the wall");
    expect(err).toMatch(/^ {4}at .*exit-codes\.test\.ts/m);
    const asJson = await world.run(["status", "--json"]);
    expect(asJson.code).toBe(1);
    expect(errorOf(asJson)).toMatchObject({ code: "BUG", message: expect.stringContaining("clock") });
  });

  test.each([
    { argv: ["connect", "hubpsot"], message: "there is no vendor hubpsot", hint: "Did you mean hubspot?" },
    {
      argv: ["invites", "show", "inv_nowhere"],
      message: "acme has no invite inv_nowhere",
      hint: "jc-integrations invites list --org acme shows the newest ones.",
    },
    {
      argv: ["status", "--org", "two words"],
      message: "an org is a slug: letters, digits, dot, dash, underscore",
      hint: "As --org acme",
    },
  ])("2 when the command line is wrong: $argv", async ({ argv, message, hint }) => {
    const world = await freshWorld();
    const { code, err } = await world.run(argv);
    expect(code).toBe(2);
    expect(err).toBe(`Error: ${message}\n  → ${hint}\n`);
    expect(errorOf(await world.run([...argv, "--json"]))).toEqual({ code: "USAGE", message, hint });
  });

  test("2 when what it needs is not configured, and says what to type", async () => {
    const world = await freshWorld();
    const run = await world.run(["connect", "hubspot", "--json"]);
    expect(run.code).toBe(2);
    expect(errorOf(run)).toMatchObject({
      code: "CONFIG_INVALID",
      hint: "jc-integrations secrets set hubspot.client-secret",
    });
  });

  test("2 when the port is taken", async () => {
    const world = await freshWorld();
    const { url } = await serving(world);
    const { code, err } = await world.run(["serve"], { env: { JC_SERVE_LISTEN: new URL(url).host } });
    expect(code).toBe(2);
    expect(err).toContain("is in use by another process");
    expect(err).toContain("set another serve.listen");
  });

  test("3 when the portal's admin says no", async () => {
    const world = await withClientSecret(await freshWorld({ autoApprove: false }));
    const connecting = world.start(["connect", "hubspot"]);
    const page = await until("the consent page is open", () => world.visits[0]);
    const denied = await fetch(page.url, {
      method: "POST",
      body: new URLSearchParams({ decision: "deny" }),
      redirect: "manual",
    });
    await follow(denied.headers.get("location") ?? "");
    expect(await connecting.done).toMatchObject({ code: 3, out: "" });
  });

  test("3 when nobody gives consent in five minutes", async () => {
    const clock = fakeClock();
    const world = await withClientSecret(await freshWorld({ clock, autoApprove: false }));
    const connecting = world.start(["connect", "hubspot"]);
    await until("the consent page is open", () => world.visits[0]);
    await clock.advance(5 * 60_000);
    const { code, err } = await connecting.done;
    expect(code).toBe(3);
    expect(err).toContain("Nobody gave consent in HubSpot in time");
  });

  test("4 when the vendor has to be connected again", async () => {
    const world = await freshWorld();
    const run = await world.run(["resync-properties", "--json"]);
    expect(run.code).toBe(4);
    expect(errorOf(run)).toMatchObject({
      code: "RECONNECT_NEEDED",
      hint: "jc-integrations connect hubspot --org acme",
    });
  });

  test("5 when the tokens cannot be read", async () => {
    const world = await connected();
    expect((await world.run(["vault", "status"])).code).toBe(0);
    rmSync(join(world.dir, "vault.key"));
    for (const argv of [
      ["vault", "status"],
      ["resync-properties"],
      ["secrets", "set", "telegram.bot-token"],
    ]) {
      const run = await world.run([...argv, "--json"], { stdin: "some token" });
      expect(run.code).toBe(5);
      expect(errorOf(run).code).toBe("VAULT_UNAVAILABLE");
    }
  });

  test("6 when the vendor cannot be reached", async () => {
    const world = await connected();
    await world.emulator.close();
    const run = await world.run(["resync-properties", "--json"]);
    expect(run.code).toBe(6);
    expect(errorOf(run).code).toBe("VENDOR_UNAVAILABLE");
  });

  test("7 when some of it could not be done", async () => {
    const world = await freshWorld();
    const file = world.file("events.ndjson", [invite(), "nonsense"]);
    const { code, err } = await world.run(["invites", "import", file, "--json"]);
    expect(code).toBe(7);
    expect(JSON.parse(err)).toMatchObject({
      error: { code: "PARTIAL", message: "1 line could not be taken" },
    });
  });

  test("130 when it is interrupted", async () => {
    const world = await freshWorld();
    let lines = 0;
    async function* endless() {
      for (;;) {
        lines += 1;
        yield `${JSON.stringify(invite())}\n`;
        await systemClock.sleep(0);
      }
    }
    const importing = world.start(["invites", "import", "-"], { stdin: endless() });
    await until("it is at work", () => lines > 10);
    expect(await importing.stop()).toMatchObject({
      code: 130,
      out: "",
      err: expect.not.stringContaining("bug"),
    });
  });
});

describe("what one mistypes", () => {
  test.each([
    [["stauts"], "unknown command 'stauts'", "→ Did you mean status?\n"],
    [["invites", "imprt"], "unknown command 'imprt'", "→ Did you mean import?\n"],
    [["status", "--jsno"], "unknown option '--jsno'", "→ Did you mean --json?\n"],
    [["connect"], "missing required argument 'vendor'", "jc-integrations connect --help shows what it takes"],
    [["status", "now"], "too many arguments", "jc-integrations status --help shows what it takes"],
    [["webhooks", "subscribe", "x"], "too many arguments", "jc-integrations webhooks subscribe --help shows"],
    [["invites", "list", "--limit", "many"], "option '--limit <n>'", "a number from 1 to 99999"],
    [["invites", "list", "--status", "done"], "option '--status <status>'", "one of invited, in_progress"],
  ])("is named with what was meant: %j", async (argv, message, hint) => {
    const world = await freshWorld();
    const { code, out, err } = await world.run(argv);
    expect(code).toBe(2);
    expect(out).toBe("");
    // As every other error begins, and goes on.
    expect(err.startsWith(`Error: ${message.slice(0, 12)}`)).toBe(true);
    expect(err).toMatch(/\n {2}→ /);
    expect(err).toContain(message);
    expect(err).toContain(hint);
  });
});

describe("help", () => {
  test("lists commands and exit codes on stdout", async () => {
    const world = await freshWorld();
    const { code, out, err } = await world.run(["--help"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    for (const word of ["connect", "status", "serve", "invites", "secrets", "Exit codes: 0 done"])
      expect(out).toContain(word);
  });

  test.each(["connect", "status", "resync-properties", "run", "serve", "emulator"])(
    "of %s shows an example, and opens neither configuration nor state",
    async (command) => {
      const world = await freshWorld();
      const { code, out } = await world.run([command, "--help"], { env: { JC_CONFIG: "nowhere.toml" } });
      expect(code).toBe(0);
      expect(out).toMatch(new RegExp(`Examples?:\\n  jc-integrations ${command}`));
    },
  );

  test("is what one gets for no command at all, with 2", async () => {
    const world = await freshWorld();
    const { code, out, err } = await world.run([]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("Usage: jc-integrations");
  });

  test("is not needed for the version", async () => {
    const world = await freshWorld();
    expect(await world.run(["--version"])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });
});
