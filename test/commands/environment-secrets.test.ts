/** Secrets that a script sets by its environment, for one run. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { launch } from "../end-to-end/program.ts";
import { serving } from "../daemon/serving.ts";
import {
  CLIENT_SECRET,
  connected,
  freshWorld,
  invite,
  prepared,
  succeed,
  until,
  WEBHOOK_SECRET,
  type World,
} from "../world.ts";

const VARIABLE = "JC_SECRET_HUBSPOT_CLIENT_SECRET";
const OTHER_WEBHOOK_SECRET = `whsec_${Buffer.from("another receiver's secret, of a script").toString("base64")}`;

/** All that rests on disk, as bytes. */
function stateOf(world: World): string {
  const files = readdirSync(world.stateDir, { recursive: true, withFileTypes: true }).filter((each) =>
    each.isFile(),
  );
  return files.map((file) => readFileSync(join(file.parentPath, file.name), "latin1")).join("\n");
}

describe("a secret in the environment", () => {
  test("serves a connect without one in the vault, and none is written there", async () => {
    const world = await freshWorld();
    const env = { [VARIABLE]: CLIENT_SECRET };
    expect(await world.run(["connect", "hubspot"], { env })).toMatchObject({ code: 0 });
    expect(await world.run(["secrets", "list", "--json"])).toMatchObject({
      json: { version: 1, secrets: [] },
    });
    const without = await world.run(["connect", "hubspot"]);
    expect(without).toMatchObject({
      code: 2,
      err: expect.stringContaining("hubspot.client-secret is not set"),
    });
    expect(stateOf(world)).not.toContain(CLIENT_SECRET);
  });

  test("goes before the vault's, that of the org at hand too", async () => {
    const world = await prepared();
    await succeed(world, ["secrets", "set", "hubspot.client-secret", "--org", "acme"], CLIENT_SECRET);
    // The emulator refuses this one.
    const refused = await world.run(["connect", "hubspot"], { env: { [VARIABLE]: "wrong" } });
    expect(refused).toMatchObject({ code: 2 });
    expect(await world.run(["connect", "hubspot"])).toMatchObject({ code: 0 });
  });

  test("is shown as such, without its value", async () => {
    const env = { [VARIABLE]: CLIENT_SECRET, JC_SECRET_HUBSPOT_CLIENT_SECRET_SANDBOX: "sandbox-secret" };
    const world = await connected();
    const { out } = await world.run(["vault", "status"], { env });
    expect(out).toContain(`hubspot.client-secret is taken from the environment (${VARIABLE})`);
    expect((await world.run(["vault", "status", "--json"], { env })).json).toMatchObject({
      items: ((await world.run(["vault", "status", "--json"])).json as { items: number }).items,
      fromEnvironment: [
        { name: "hubspot.client-secret", environment: "production", variable: VARIABLE },
        { name: "hubspot.client-secret", environment: "sandbox", variable: `${VARIABLE}_SANDBOX` },
      ],
    });
    const listed = await world.run(["secrets", "list"], { env });
    expect(listed.out).toContain(VARIABLE);
    expect(out + listed.out).not.toContain(CLIENT_SECRET);
  });

  test("leaves what is set and removed in the vault as it is without it", async () => {
    const world = await prepared();
    const env = { JC_SECRET_JOBCANNON_WEBHOOK_SECRET: OTHER_WEBHOOK_SECRET, [VARIABLE]: "of the script" };
    const second = await world.run(["secrets", "set", "jobcannon.webhook-secret", "--json"], {
      env,
      stdin: OTHER_WEBHOOK_SECRET,
    });
    expect(second.json).toMatchObject({ number: 2 });
    const said = await world.run(["secrets", "set", "hubspot.client-secret"], { env, stdin: CLIENT_SECRET });
    expect(said.err).toContain(`as long as ${VARIABLE} is set, it is taken instead`);
    await world.run(["secrets", "remove", "hubspot.client-secret", "--yes"], { env });
    const { json } = await world.run(["secrets", "list", "--json"]);
    expect(json).toMatchObject({ secrets: [{ number: 1 }, { number: 2 }] });
    expect(stateOf(world)).not.toContain("of the script");
  });

  test("is in no error and in no trace of calls", async () => {
    const world = await prepared();
    const env = { [VARIABLE]: "a-secret-of-the-script" };
    await world.portal.fault({ status: 400, times: 5, path: "/oauth/v", body: "a-secret-of-the-script" });
    const { out, err, code } = await world.run(["connect", "hubspot", "--verbose"], { env });
    expect(code).not.toBe(0);
    expect(out + err).not.toContain("a-secret-of-the-script");
  });

  test("signs webhooks for a serve beside those of the vault", async () => {
    const world = await connected();
    const env = { JC_SECRET_JOBCANNON_WEBHOOK_SECRET: OTHER_WEBHOOK_SECRET };
    const { post } = await serving(world, { env });
    for (const secret of [WEBHOOK_SECRET, OTHER_WEBHOOK_SECRET])
      expect(await post(invite(), { secret })).toMatchObject({ status: 202 });
  });

  test("is inherited by no child of the built program", async () => {
    const world = await freshWorld();
    const [browser, seen] = [join(world.dir, "browser"), join(world.dir, "seen")];
    writeFileSync(browser, `#!/bin/sh\nenv > ${seen}.part && mv ${seen}.part ${seen}\n`, { mode: 0o755 });
    world.env = { ...world.env, [VARIABLE]: CLIENT_SECRET, BROWSER: browser };
    launch(world, ["connect", "hubspot"]);
    const inherited = await until(
      "the browser was started",
      () => existsSync(seen) && readFileSync(seen, "utf8"),
    );
    expect(inherited).toContain("BROWSER=");
    expect(inherited).not.toContain("JC_SECRET");
  });
});

describe("a variable that is none of ours", () => {
  test.each([
    [
      "JC_SECRET_HUBSPOT_CLIENT_SECRTE",
      "x",
      "unknown secret JC_SECRET_HUBSPOT_CLIENT_SECRTE\n  → Did you mean JC_SECRET_HUBSPOT_CLIENT_SECRET?",
    ],
    ["JC_SECRET_QQ", "x", "Those that are known: JC_SECRET_HUBSPOT_CLIENT_SECRET"],
    ["JC_SECRET_SERVE_METRICS_TOKEN_SANDBOX", "x".repeat(20), "Did you mean JC_SECRET_SERVE_METRICS_TOKEN?"],
    [
      "JC_SECRET_JOBCANNON_WEBHOOK_SECRET",
      "no-whsec",
      "JC_SECRET_JOBCANNON_WEBHOOK_SECRET: a JobCannon webhook secret begins with whsec_",
    ],
  ])("%s is an error that says so", async (variable, value, words) => {
    const world = await freshWorld();
    const env = { [variable]: value };
    for (const command of [["status"], ["serve"]])
      expect(await world.run(command, { env })).toMatchObject({
        code: 2,
        err: expect.stringContaining(words),
      });
    const checked = await world.run(["config", "check"], { env });
    expect(checked).toMatchObject({ code: 2, out: expect.stringContaining(variable) });
  });

  test("and one that is set to nothing is not set", async () => {
    const world = await freshWorld();
    expect(await world.run(["config", "check"], { env: { [VARIABLE]: "" } })).toMatchObject({ code: 0 });
  });
});
