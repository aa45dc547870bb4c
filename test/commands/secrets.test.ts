import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { freshWorld, WEBHOOK_SECRET, type World } from "../world.ts";

const SECOND = `whsec_${Buffer.from("another secret of the receiver").toString("base64")}`;

function set(world: World, argv: string[], stdin: string) {
  return world.run(["secrets", "set", ...argv], { stdin });
}

async function listed(world: World): Promise<unknown> {
  return (await world.run(["secrets", "list", "--json"])).json;
}

const item = (name: string, number = 1, org: string | null = null, environment = "production") => ({
  name,
  org,
  environment,
  number,
});

describe("secrets", () => {
  test("are none at first", async () => {
    const world = await freshWorld();
    expect((await world.run(["secrets", "list"])).out).toContain("No secrets yet");
    expect(await listed(world)).toEqual({ version: 1, secrets: [] });
  });

  test("come from stdin or a file, lose the line's end, and are never shown", async () => {
    const world = await freshWorld();
    const piped = await set(world, ["hubspot.client-secret"], "s3cret-of-the-app\n");
    expect(piped).toMatchObject({
      code: 0,
      out: expect.stringContaining("hubspot.client-secret is set. It rests in the sealed vault"),
    });
    writeFileSync(join(world.dir, "token"), "123456:bot-token-from-a-file\r\n");
    const read = await set(world, ["telegram.bot-token", "--file", "token", "--json"], "");
    expect(read.json).toEqual({ version: 1, name: "telegram.bot-token", org: null, number: 1 });
    const list = await world.run(["secrets", "list"]);
    for (const shown of [piped, read, list])
      for (const value of ["s3cret", "bot-token-from"]) expect(shown.out + shown.err).not.toContain(value);
  });

  test("of a webhook are added, others replaced, the same one again is no second", async () => {
    const world = await freshWorld();
    await set(world, ["jobcannon.webhook-secret"], WEBHOOK_SECRET);
    expect((await set(world, ["jobcannon.webhook-secret"], SECOND)).out).toContain("as number 2");
    await set(world, ["jobcannon.webhook-secret"], WEBHOOK_SECRET);
    await set(world, ["hubspot.client-secret"], "the old one");
    await set(world, ["hubspot.client-secret"], "the new one");
    expect(await listed(world)).toEqual({
      version: 1,
      secrets: [
        item("hubspot.client-secret"),
        item("jobcannon.webhook-secret", 1),
        item("jobcannon.webhook-secret", 2),
      ],
    });
  });

  test("are removed one by one by number, or all at once, and the numbers of others stay", async () => {
    const world = await freshWorld();
    for (const secret of [WEBHOOK_SECRET, SECOND]) await set(world, ["jobcannon.webhook-secret"], secret);
    const one = await world.run(["secrets", "remove", "jobcannon.webhook-secret", "--number", "1"]);
    expect(one).toMatchObject({ code: 0, out: "1 secret removed.\n" });
    expect(await listed(world)).toEqual({ version: 1, secrets: [item("jobcannon.webhook-secret", 2)] });
    await set(world, ["jobcannon.webhook-secret"], WEBHOOK_SECRET);
    const all = await world.run(["secrets", "remove", "jobcannon.webhook-secret"]);
    expect(all).toMatchObject({ code: 0, out: "2 secrets removed.\n" });
    const none = await world.run(["secrets", "remove", "jobcannon.webhook-secret"]);
    expect(none).toMatchObject({ code: 2, err: expect.stringContaining("is not set there") });
  });

  test("of an org, of all orgs and of the sandbox stand side by side", async () => {
    const world = await freshWorld();
    await set(world, ["hubspot.client-secret"], "for everybody");
    await set(world, ["hubspot.client-secret", "--org", "globex"], "for globex");
    await set(world, ["hubspot.client-secret", "--sandbox"], "for sandboxes");
    expect(await listed(world)).toEqual({
      version: 1,
      secrets: expect.arrayContaining([
        item("hubspot.client-secret"),
        item("hubspot.client-secret", 1, "globex"),
        item("hubspot.client-secret", 1, null, "sandbox"),
      ]),
    });
  });

  const refused: [what: string, argv: string[], stdin: string, words: string][] = [
    ["with an unknown name", ["hubspot.secret"], "x", "there is no secret of that name"],
    ["that are empty", ["hubspot.client-secret"], "\n", "a secret is one line of text"],
    ["of several lines", ["hubspot.client-secret"], "one\ntwo\n", "a secret is one line of text"],
    ["that are no end", ["hubspot.client-secret"], "x".repeat(70_000), "too long for a secret"],
    ["that JobCannon never made", ["jobcannon.webhook-secret"], "whsec-typo", "begins with whsec_"],
    ["from a file that is not there", ["hubspot.client-secret", "--file", "nowhere"], "", "cannot be read"],
  ];
  test.each(refused)("%s are refused, and nothing is set", async (_what, argv, stdin, words) => {
    const world = await freshWorld();
    expect(await set(world, argv, stdin)).toMatchObject({ code: 2, err: expect.stringContaining(words) });
    expect(await listed(world)).toEqual({ version: 1, secrets: [] });
  });
});
