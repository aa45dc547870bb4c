import { createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { secret } from "../../src/shared/secret.ts";
import { openVault } from "../../src/vault/open.ts";
import { serving } from "../daemon/serving.ts";
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
  setAt: expect.any(String),
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

  test("are listed with the time they were set", async () => {
    const world = await freshWorld();
    const before = Date.now();
    await set(world, ["hubspot.client-secret"], "the old one");
    const [first] = Object(await listed(world)).secrets;
    expect(Date.parse(first.setAt)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(first.setAt)).toBeLessThanOrEqual(Date.now());
    await set(world, ["hubspot.client-secret"], "the new one");
    const [second] = Object(await listed(world)).secrets;
    expect(Date.parse(second.setAt)).toBeGreaterThan(Date.parse(first.setAt));
    expect((await world.run(["secrets", "list"])).out).toMatch(
      /hubspot\.client-secret .* \d{4}-\d\d-\d\d \d\d:\d\d UTC/,
    );
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
    const one = await world.run(["secrets", "remove", "jobcannon.webhook-secret", "--yes", "--number", "1"]);
    expect(one).toMatchObject({ code: 0, out: "1 secret removed.\n" });
    expect(await listed(world)).toEqual({ version: 1, secrets: [item("jobcannon.webhook-secret", 2)] });
    await set(world, ["jobcannon.webhook-secret"], WEBHOOK_SECRET);
    const all = await world.run(["secrets", "remove", "jobcannon.webhook-secret", "--yes"]);
    expect(all).toMatchObject({ code: 0, out: "2 secrets removed.\n" });
    const none = await world.run(["secrets", "remove", "jobcannon.webhook-secret", "--yes"]);
    expect(none).toMatchObject({ code: 2, err: expect.stringContaining("is not set") });
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

  test("that did not come are asked for again, with what to type", async () => {
    const world = await freshWorld();
    const empty = await world.run(["secrets", "set", "hubspot.client-secret", "--sandbox"]);
    expect(empty).toMatchObject({
      code: 2,
      err: "Error: nothing came on stdin: hubspot.client-secret is not set\n  → jc-integrations secrets set hubspot.client-secret --file <file> --sandbox\n",
    });
    const missing = await world.run(["secrets", "set", "hubspot.client-secret", "--file", "nofile"]);
    expect(missing.code).toBe(2);
    expect(missing.err).toContain(`--file: there is no file ${join(world.dir, "nofile")}`);
    expect(missing.err).toContain("→ Check --file, and who may read the file.");
    const blank = await world.run([
      "secrets",
      "set",
      "hubspot.client-secret",
      "--file",
      world.file("blank", ["  "]),
    ]);
    expect(blank.err).toContain("is empty\n  → It holds the secret and nothing else.");
  });

  const refused: [what: string, argv: string[], stdin: string, words: string][] = [
    ["with an unknown name", ["hubspot.secret"], "x", "there is no secret of that name"],
    ["that are empty", ["hubspot.client-secret"], "\n", "nothing came on stdin"],
    ["with a NUL in it", ["hubspot.client-secret"], "one\0two", "without control characters"],
    ["of several lines", ["hubspot.client-secret"], "one\ntwo\n", "a secret is one line of text"],
    ["that are no end", ["hubspot.client-secret"], "x".repeat(70_000), "too long for a secret"],
    ["that JobCannon never made", ["jobcannon.webhook-secret"], "whsec-typo", "begins with whsec_"],
    [
      "of a webhook that can be guessed",
      ["smartrecruiters.webhook-secret"],
      "twenty-three bytes are.",
      "of 23 bytes",
    ],
    [
      "of JobCannon's webhook that can be guessed",
      ["jobcannon.webhook-secret"],
      `whsec_${Buffer.alloc(23).toString("base64")}`,
      "of 23 bytes can be guessed",
    ],
    ["from a file that is not there", ["hubspot.client-secret", "--file", "nowhere"], "", "there is no file"],
  ];
  test.each(refused)("%s are refused, and nothing is set", async (_what, argv, stdin, words) => {
    const world = await freshWorld();
    expect(await set(world, argv, stdin)).toMatchObject({ code: 2, err: expect.stringContaining(words) });
    expect(await listed(world)).toEqual({ version: 1, secrets: [] });
  });

  test("of SmartRecruiters' webhook are one org's alone, since they tell whose event it is", async () => {
    const world = await freshWorld();
    const shared = "a secret of 24 bytes or more";
    const name = "smartrecruiters.webhook-secret";
    expect(await set(world, [name, "--org", "acme"], shared)).toMatchObject({ code: 0 });
    expect(await set(world, [name, "--org", "acme"], shared)).toMatchObject({ code: 0 });
    for (const more of [
      ["--org", "globex"],
      ["--org", "acme", "--sandbox"],
    ])
      expect(await set(world, [name, ...more], shared)).toMatchObject({
        code: 2,
        err: expect.stringContaining("acme has this very smartrecruiters.webhook-secret already"),
      });
    expect(await listed(world)).toEqual({ version: 1, secrets: [item(name, 1, "acme")] });
  });

  test("that an older version took go on, and the list warns of them", async () => {
    const world = await freshWorld();
    const vault = openVault({
      backend: "sealed",
      stateDir: world.stateDir,
      keyFile: join(world.dir, "vault.key"),
      credentialsDirectory: null,
      host: { platform: process.platform, nodePath: process.execPath, env: {} },
      childUrl: new URL("../../dist/keychain-child.js", import.meta.url),
      clock: world.clock,
    });
    const weak = secret("0123456789");
    await vault.write(
      new Map(["acme", "globex"].map((org) => [`secret/${org}/smartrecruiters.webhook-secret/1`, weak])),
    );
    await vault.close();
    const { out } = await world.run(["secrets", "list"]);
    expect(out).toContain("! smartrecruiters.webhook-secret of acme has 10 bytes and can be guessed");
    expect(out).toContain("! smartrecruiters.webhook-secret of globex is that of acme too");
    expect(out).not.toContain("0123456789");
    const body = JSON.stringify({ id: "evt_1", event: "job.updated", occurredAt: "2026-11-22T10:00:00Z" });
    const service = await serving(world);
    const signature = createHmac("sha256", "0123456789").update(body).digest("hex");
    const headers = { "x-smartrecruiters-signature": signature };
    expect(await service.post(body, { path: "/smartrecruiters/webhooks", headers })).toMatchObject({
      status: 202,
    });
    expect(service.running.err()).toContain("a webhook secret is weak");
    expect((await world.run(["status"])).out).toContain(
      "! smartrecruiters.webhook-secret of acme has 10 bytes",
    );
    for (const org of ["acme", "globex"])
      await world.run(["secrets", "remove", "smartrecruiters.webhook-secret", "--org", org, "--yes"]);
    expect((await world.run(["status", "--json"])).json).toMatchObject({ secretWarnings: [] });
  });
});
