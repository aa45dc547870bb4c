/** `service` as it is typed where nothing can or should be installed. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Environment } from "../../src/shared/config.ts";
import { freshWorld, type World } from "../world.ts";

/** A person with a home in the world's directory, on a machine without systemd. */
async function person(): Promise<{ world: World; env: Environment; home: string }> {
  const world = await freshWorld();
  const home = join(world.dir, "home");
  const own = { JC_CONFIG: undefined, JC_STATE_DIR: undefined };
  const env = { ...own, PATH: world.dir, XDG_CONFIG_HOME: home, XDG_STATE_HOME: home };
  return { world, home, env };
}

describe("service install", () => {
  test.each([
    { options: [], hint: "--system for the machine's, --user for your own" },
    { options: ["--system", "--user"], hint: undefined },
    { options: ["--user", "--state-dir", "/srv"], hint: expect.stringContaining("--dry-run") },
    { options: ["--user", "--config", "/srv/config.toml"], hint: expect.stringContaining("--dry-run") },
  ])("with $options is refused", async ({ options, hint }) => {
    const { world, env } = await person();
    const { code, err } = await world.run(["service", "install", "--json", ...options], { env });
    expect(code).toBe(2);
    expect(JSON.parse(err).error).toMatchObject({ code: "USAGE", ...(hint ? { hint } : {}) });
  });

  test.each([
    ["--user", "JC_STATE_DIR"],
    ["--system", "JC_CONFIG"],
  ])("%s is refused where the shell sets %s, which the service would not see", async (scope, name) => {
    const { world, env } = await person();
    const argv = ["service", "install", scope, "--dry-run"];
    const { code, out, err } = await world.run(argv, { env: { ...env, [name]: "/srv/elsewhere" } });
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(`this shell's ${name}`);
    expect(err).toContain(`→ unset ${name}`);
  });

  test("names the keys that only the shell sets, and what ends at logout", async () => {
    const { world, env } = await person();
    const argv = ["service", "install", "--user", "--dry-run"];
    const { code, out } = await world.run(argv, { env: { ...env, JC_HUBSPOT_TIER: "paid" } });
    expect(code).toBe(0);
    expect(out).toMatch(/Note: JC_HUBSPOT_TIER is set in this shell only, .*\/environment\.$/m);
    expect(out).toMatch(/Note: It ends when you log out.*loginctl enable-linger$/m);
  });

  test("is refused where no systemd runs, and says what to run instead", async () => {
    const { world, env } = await person();
    const { code, err } = await world.run(["service", "install", "--user"], { env });
    expect(code).toBe(2);
    expect(err).toContain("there is no systemd running here");
    expect(err).toContain("jc-integrations serve");
    expect(readdirSync(world.dir)).not.toContain("home");
  });

  test("shows its plan anywhere, and changes nothing", async () => {
    const { world, env, home } = await person();
    const { code, out } = await world.run(["service", "install", "--user", "--dry-run"], { env });
    expect(code).toBe(0);
    expect(out).toContain(`create  ${home}/systemd/user/jc-integrations.service (0644)`);
    expect(out).toMatch(/^ +ExecStart=.+jc-integrations\.js serve$/m);
    expect(readdirSync(world.dir)).not.toContain("home");
  });
});

describe("without an installed service", () => {
  test.each([["status"], ["exec", "--", "status"]])("service %s says so", async (name, ...words) => {
    const { world, env } = await person();
    const { code, err } = await world.run(["service", name, "--user", ...words], { env });
    expect(code).toBe(2);
    expect(err).toContain("no service is installed");
  });

  test("service uninstall has nothing to do", async () => {
    const { world, env } = await person();
    expect(await world.run(["service", "uninstall", "--user"], { env })).toMatchObject({
      code: 0,
      out: expect.stringContaining("Nothing to change"),
    });
  });
});
