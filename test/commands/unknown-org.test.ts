/** An org that was mistyped is an error of every command that is about one org. */
import type { Command } from "commander";
import { expect, test } from "vitest";
import { createProgram } from "../../src/main.ts";
import { outsideOf } from "../outside.ts";
import { connected } from "../world.ts";

/** Each as it is typed, for an org that nothing knows. */
const REFUSED: readonly string[] = [
  "alerts test",
  "run retry",
  "admin link",
  "backfill",
  "catalog list",
  "catalog set --job 1 --stage x --test disc",
  "catalog show --job 1",
  "connect hubspot --confirm",
  "disconnect hubspot",
  "doctor",
  "erase ann@example.org --yes",
  "export ann@example.org",
  "invites assign",
  "invites list",
  "invites show inv_1",
  "invites wanted",
  "logs",
  "replay --status rejected",
  "resync-properties",
  "sandbox-test hubspot",
  "secrets remove hubspot.client-secret --yes",
  "status",
  "webhooks list",
  "webhooks log",
  "webhooks rotate-secret",
  "webhooks subscribe",
  "webhooks unsubscribe",
];

/** What is the machine's, whole files, or every org's, which no org's name changes. */
const OF_NO_ORG = [
  ...["backup", "backup list", "backup verify", "restore", "store copy", "store grants", "store migrate"],
  ...["store new-log", "vault rekey", "vault status", "config check", "config init", "config path"],
  ...["config show", "completion", "demo", "emulator", "help", "serve", "secrets list"],
  ...["service exec", "service install", "service status", "service uninstall"],
];

/** An org begins with them, or its events say whose they are. */
const BEGIN_ONE = ["secrets set", "invites import"];

test.each(REFUSED)("%s of an unknown org is an error that says what to type", async (line) => {
  const world = await connected();
  const { code, err } = await world.run([...line.split(" "), "--org", "nosuch", "--json"]);
  expect(code).toBeGreaterThanOrEqual(2);
  const { message, hint } = JSON.parse(err.trim().split("\n").at(-1) ?? "").error;
  expect(`${message} ${hint}`).toContain("nosuch");
  expect(hint).toContain("jc-integrations ");
});

test.each(["alerts test", "run retry", "run sweep", "invites assign"])(
  "%s does nothing for it, and does it for one that is there",
  async (line) => {
    const world = await connected();
    const refused = await world.run([...line.split(" "), "--org", "nosuch"]);
    expect(refused).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringContaining("Error: nothing is known of the org nosuch\n"),
    });
    const { err } = await world.run([...line.split(" "), "--org", "acme"]);
    expect(err).not.toContain("nothing is known of the org");
  },
);

test("there is no other command", async () => {
  const program = await createProgram(
    outsideOf(() => {}),
    { first: undefined, asJson: false },
  );
  const judged = [...REFUSED.map((line) => line.split(" --")[0] ?? ""), ...OF_NO_ORG, ...BEGIN_ONE];
  const unjudged = leaves(program).filter(
    (name) => !judged.some((each) => each === name || each.startsWith(`${name} `)),
  );
  expect(unjudged).toEqual([]);
});

function leaves(command: Command, above = ""): string[] {
  return command.commands.flatMap((child) => {
    const name = `${above}${child.name()}`;
    return child.commands.length === 0 ? [name] : leaves(child, `${name} `);
  });
}
