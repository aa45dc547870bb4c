/** The next step that the built program names is one that helps. */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { launch, launchService, send } from "../end-to-end/program.ts";
import { connected, freshWorld, invite, prepared, sign, succeed, until, type World } from "../world.ts";

const run = (world: World, ...argv: string[]) => launch(world, argv).ended;

describe("doctor about calls that were refused", () => {
  const examined = async (world: World) => {
    const { code, out } = await run(world, "doctor", "--json");
    const { findings } = JSON.parse(out) as { findings: { id: string; level: string; what: string }[] };
    return { code, found: findings.filter(({ id }) => id.startsWith("webhooks.")) };
  };
  const counted = (world: World, n: number) =>
    until(`${n} are counted`, async () => {
      const { out } = await run(world, "status", "--json");
      return (JSON.parse(out) as { refused: { n: number }[] }).refused[0]?.n === n;
    });

  test("takes a stranger's for no fault, and what is signed with another secret for one until the next good webhook", async () => {
    const world = await connected();
    const service = await launchService(world);
    const url = `${service.url}/jobcannon/events`;
    expect((await send(service.url, invite(), { id: "msg_1" }))?.status).toBe(202);
    const before = await examined(world);
    expect((await fetch(url)).status).toBe(405);
    const unsigned = { method: "POST", body: "{}", headers: { "content-type": "application/json" } };
    expect((await fetch(url, unsigned)).status).toBe(401);
    await counted(world, 2);
    expect(await examined(world)).toEqual(before);

    const secret = `whsec_${Buffer.from("the secret of somebody else, or a new one").toString("base64")}`;
    const body = JSON.stringify(invite());
    const headers = { ...sign(body, secret) };
    expect((await fetch(url, { method: "POST", body, headers })).status).toBe(401);
    await counted(world, 3);
    const { code, found } = await examined(world);
    expect(code).toBe(2);
    expect(found).toMatchObject([{ id: "webhooks.refused", level: "error" }]);
    expect(found[0]?.what).toMatch(/^a webhook of JobCannon refused.*fits none of our secrets$/);

    expect((await send(service.url, invite(), { id: "msg_2" }))?.status).toBe(202);
    await until("it is over", async () => (await examined(world)).found.length === 0);
    // Nor does it come back with the next stranger, in the same minute.
    await fetch(url);
    await counted(world, 1);
    expect(await examined(world)).toEqual(before);
  });
});

describe("replay and run retry", () => {
  test("say of a result that was never sent what sends it", async () => {
    const world = await prepared();
    const path = world.file("events.ndjson", [invite({ invitation_id: "inv_1" })]);
    expect((await run(world, "invites", "import", path)).code).toBe(0);
    await succeed(world, ["connect", "hubspot"]);
    const advice = "1 result was never sent to HubSpot: jc-integrations backfill --org acme --yes";
    for (const argv of [
      ["replay", "inv_1", "--yes"],
      ["replay", "inv_1"],
      ["run", "retry"],
    ]) {
      const { code, out, err } = await run(world, ...argv);
      expect(code, argv.join(" ")).toBe(0);
      expect(out + err, argv.join(" ")).toContain(advice);
    }
    expect((await run(world, "backfill", "--org", "acme", "--yes")).out).toContain("1 delivered");
    const { out, err } = await run(world, "replay", "inv_1", "--yes");
    expect(out + err).not.toContain("never sent");
  });
});

describe("status", () => {
  test("counts events as those of all organisations, and names who waits without a connection", async () => {
    const world = await connected();
    const events = ["acme", "ACME", "other"].map((org) => {
      const event = invite();
      return { ...event, data: { ...event.data, org } };
    });
    const path = world.file("events.ndjson", events);
    expect((await run(world, "invites", "import", path)).code).toBe(0);
    const { code, out } = await run(world, "status");
    expect(code).toBe(0);
    expect(out).toContain("1 invite; 3 events taken of all organisations");
    expect(out).toContain(
      "! 2 invites of organisations without a connection: ACME (1; differs from acme, which is connected, in letters' case only) and other (1). See: jc-integrations status --all",
    );
    expect(out).not.toContain("@example");
    expect((await run(world, "status", "--all")).out).not.toContain("without a connection");
  });
});

describe("a configuration that is another file", () => {
  const other = (text: string): [what: string, bytes: Buffer, words: string, hint: string][] => [
    ["UTF-16", Buffer.from(`\uFEFF${text}`, "utf16le"), "is UTF-16, no", "iconv -f UTF-16 -t UTF-8"],
    ["UTF-16 without a mark", Buffer.from(text, "utf16le"), "UTF-16 without a byte order mark", "UTF-16LE"],
    ["gzip", gzipSync(text), "is compressed by gzip, no", "zcat"],
    ["with a NUL", Buffer.from(`${text}\0`), "holds NUL bytes", "JC_CONFIG"],
    ["huge", Buffer.alloc(30_000_000), "is longer than 1 MiB", "JC_CONFIG"],
  ];

  test("is named as what it is", async () => {
    const world = await prepared();
    for (const [what, bytes, words, hint] of other(readFileSync(world.configFile, "utf8"))) {
      const file = join(world.dir, "other.toml");
      writeFileSync(file, bytes);
      const { code, err } = await run(world, "status", "--config", file);
      expect(code, what).toBe(2);
      expect(err, what).toContain(words);
      expect(err, what).toContain(hint);
      const checked = await run(world, "config", "check", "--config", file);
      expect(checked.code, what).toBe(2);
      expect(checked.out, what).toContain(words);
      expect(checked.out, what).not.toContain("not there");
    }
  });

  test("whose sealed vault has no key is refused by config check, as by whoever needs it", async () => {
    const world = await freshWorld();
    const file = join(world.dir, "keyless.toml");
    writeFileSync(file, 'org = "acme"\n[vault]\nbackend = "sealed"\n');
    const checked = await run(world, "config", "check", "--config", file);
    expect(checked.code).toBe(2);
    expect(checked.out).toContain("The sealed vault has no key");
    const source = world.file("secret", ["any"]);
    const set = await run(
      world,
      "secrets",
      "set",
      "hubspot.client-secret",
      "--file",
      source,
      "--config",
      file,
    );
    expect(set.code).toBe(5);
    expect(set.err).toContain("The sealed vault has no key");
  });
});

test("a mistyped subcommand names its own help", async () => {
  const world = await freshWorld();
  for (const [argv, hint] of [
    [["webhooks", "subscribe", "now"], "jc-integrations webhooks subscribe --help shows what it takes"],
    [["connect"], "jc-integrations connect --help shows what it takes"],
    [["nonsense"], "jc-integrations --help lists the commands"],
  ] as const) {
    const { code, err } = await run(world, ...argv);
    expect(code).toBe(2);
    expect(err).toContain(hint);
  }
});

test("a trial without a sandbox says what connects one, also where its host has no address", async () => {
  const world = await prepared();
  appendFileSync(
    world.configFile,
    '\n[sandbox.smartrecruiters]\nclient_id = "any"\nidentity_base = "https://sandbox.invalid"\n',
  );
  const { code, out } = await run(world, "sandbox-test", "smartrecruiters", "--job", "4711");
  expect(code).toBe(6);
  expect(out).toContain("acme is not connected to SmartRecruiters' sandbox");
  expect(out).toContain("jc-integrations connect smartrecruiters --org acme --sandbox");
  expect(out).not.toContain("ENOTFOUND");
});
