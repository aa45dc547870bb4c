import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { connected, freshWorld, invite, type World } from "../world.ts";

const LOOKS = [["logs"], ["logs", "--runs"], ["invites", "list"], ["webhooks", "log"]];
const RERUNS = [["replay", "--status", "rejected"], ["backfill"]];

describe("commands that look", () => {
  test.each(LOOKS)("%s %s finds nothing where there is no log yet, and creates none", async (...words) => {
    const world = await freshWorld();
    expect(await world.run(words.filter(Boolean))).toMatchObject({ code: 0 });
    expect(existsSync(world.stateDir)).toBe(false);
  });

  test.each([["status"], ...LOOKS])(
    "%s %s says so, with the store's code, where no log can ever be",
    async (...words) => {
      const world = await freshWorld();
      for (const stateDir of ["/proc/x", "/proc/x/y", join(world.configFile, "x")]) {
        const argv = ["--state-dir", stateDir, ...words.filter(Boolean)];
        const { code, err } = await world.run(argv);
        expect(code, argv.join(" ")).toBe(2);
        expect(err).toMatch(/Error: .*(no state directory can be made at|cannot be opened)/);
        expect(err).toContain("state");
      }
      // Where one could be, nothing is wrong yet.
      const new_ = ["--state-dir", join(world.dir, "not", "yet"), ...words.filter(Boolean)];
      expect((await world.run(new_)).code).toBe(0);
    },
  );

  test("logs --follow says that there is none", async () => {
    const world = await freshWorld();
    expect(await world.run(["logs", "--follow"])).toMatchObject({
      code: 2,
      err: expect.stringContaining(`there is no log in ${world.stateDir} yet`),
    });
    expect(existsSync(world.stateDir)).toBe(false);
  });

  test("see what another process writes, while they follow", async () => {
    const world = await connected();
    const following = world.start(["logs", "--follow", "--json"]);
    await take(world, "ann@example.org");
    await world.run(["run", "retry"]);
    await expect.poll(following.out).toContain('"outcome":"delivered"');
    expect(await following.stop()).toMatchObject({ err: "" });
  });
});

describe("an org or a vendor that was mistyped", () => {
  test.each([...LOOKS, ...RERUNS])("is no empty answer: %s %s", async (...words) => {
    const world = await connected();
    const argv = words.filter(Boolean);
    const { code, err } = await world.run([...argv, "--org", "acmee"]);
    expect(code).toBe(2);
    expect(err).toContain("nothing is known of the org acmee");
    expect(err).toContain(`Check --org and --state-dir (${world.stateDir})`);
    expect(await world.run([...argv, "--org", "acme"])).toMatchObject({ code: 0 });
  });

  test.each([["logs"], ...RERUNS])("is no empty answer: %s %s", async (...words) => {
    const world = await connected();
    expect(await world.run([...words.filter(Boolean), "--vendor", "hubspt"])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/there is no vendor hubspt\n.*Did you mean hubspot\?/),
    });
  });

  test("is another matter than an org whose link for consent is open", async () => {
    const world = await freshWorld();
    await world.run(["secrets", "set", "hubspot.client-secret"], { stdin: "a client's secret" });
    const env = { JC_SERVE_PUBLIC_URL: "https://results.example.org" };
    expect(
      await world.run(["connect", "hubspot", "--via-service", "--org", "globex"], { env }),
    ).toMatchObject({ code: 0 });
    expect(await world.run(["logs", "--org", "globex"])).toMatchObject({ code: 0 });
  });
});

describe("addresses", () => {
  test("of candidates are masked until they are asked for", async () => {
    const world = await connected();
    await take(world, "ann@example.org");
    await world.run(["run", "retry"]);
    for (const words of [
      ["invites", "list"],
      ["invites", "show", "inv_1"],
    ])
      for (const format of [[], ["--json"]]) {
        const { out } = await world.run([...words, ...format]);
        expect(out).toContain("a…@example.org");
        expect(out).not.toContain("ann@example.org");
        expect((await world.run([...words, ...format, "--reveal"])).out).toContain("ann@example.org");
      }
  });
});

async function take(world: World, email: string): Promise<void> {
  const events = world.file("events.ndjson", [invite({ invitation_id: "inv_1", email })]);
  expect(await world.run(["invites", "import", events])).toMatchObject({ code: 0 });
}
