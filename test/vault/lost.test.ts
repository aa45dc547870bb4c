/** What the built program says of a connection whose tokens the vault does not have, or does not give; and what it leaves as it is. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { removeTree } from "../directory.ts";
import { serving } from "../daemon/serving.ts";
import { launch, launchService } from "../end-to-end/program.ts";
import { fakeClock } from "../fake-clock.ts";
import { connected, freshWorld, importResults, invite, succeed, until, type World } from "../world.ts";

const run = (world: World, ...argv: string[]) => launch(world, argv).ended;

async function jsonOf(world: World, ...argv: string[]) {
  const { code, out } = await run(world, ...argv, "--json");
  return { code, json: Object(JSON.parse(out)) };
}

async function standing(world: World) {
  const { code, json } = await jsonOf(world, "status");
  const [{ state, tokens, pushes, banner }] = json.connections;
  return { code, state, tokens, held: pushes.held, pending: pushes.pending, banner };
}

/** Everything of the vault: its file and its key. */
function takeVault({ stateDir, dir }: World): () => void {
  const aside = join(dir, "aside");
  mkdirSync(aside);
  const names = readdirSync(stateDir).filter((name) => /^vault\./.test(name));
  expect(names).toContain("vault.db");
  for (const name of names) renameSync(join(stateDir, name), join(aside, name));
  return () => {
    for (const name of names) renameSync(join(aside, name), join(stateDir, name));
  };
}

describe("status looks whether tokens can be read, with serve stopped, and ends with 5", () => {
  const noTokens = "the vault has no tokens of HubSpot (acme)";
  test.each<[string, (world: World) => void, string]>([
    ["where the vault is gone", (world) => void takeVault(world), noTokens],
    [
      "where its file is empty",
      ({ stateDir }) => {
        rmSync(join(stateDir, "vault.db"));
        writeFileSync(join(stateDir, "vault.db"), "");
      },
      noTokens,
    ],
    [
      "where its file is no vault",
      ({ stateDir }) => writeFileSync(join(stateDir, "vault.db"), "garbage".repeat(2_000)),
      "vault.db cannot be used: SQLITE_NOTADB",
    ],
    [
      "where the key is missing",
      ({ env, dir }) => Object.assign(env, { JC_VAULT_KEY_FILE: join(dir, "nowhere.key") }),
      "key is missing",
    ],
    [
      "where the key is another's",
      ({ env, dir }) => {
        writeFileSync(join(dir, "other.key"), Buffer.alloc(32, 7), { mode: 0o600 });
        Object.assign(env, { JC_VAULT_KEY_FILE: join(dir, "other.key") });
      },
      "This key does not open the vault",
    ],
  ])("%s", async (_, harm, reason) => {
    const world = await connected();
    expect(await standing(world)).toMatchObject({ code: 0, tokens: "readable" });
    harm(world);
    expect(await standing(world)).toMatchObject({ code: 5, state: "connected", tokens: "unreadable" });
    const { code, out, err } = await run(world, "status");
    expect(code).toBe(5);
    expect(out).toContain("[Tokens unreadable]");
    expect(out).toContain(`HubSpot: tokens cannot be read: `);
    expect(out).toContain(reason);
    expect(err).toContain("the tokens of hubspot cannot be read");
  });
});

describe("a log whose vault stayed on another machine", () => {
  test("is held against no vendor: doctor names the vault and changes nothing, and all goes out once it is back", async () => {
    const world = await connected();
    await importResults(world, [invite()]);
    const bringBack = takeVault(world);
    const before = await standing(world);
    expect(before).toMatchObject({ code: 5, state: "connected", held: 0, pending: 1 });

    const doctor = await run(world, "doctor");
    expect(doctor.code).toBe(5);
    expect(doctor.out).toContain("✗ The vault has no tokens of HubSpot (acme)");
    expect(doctor.out).toContain("jc-integrations connect hubspot --org acme");
    expect(doctor.out).not.toContain("taken back our access");
    expect(doctor.out).not.toContain("is not set");
    expect(await standing(world)).toEqual(before);

    expect((await run(world, "run", "retry")).code).toBe(5);
    const held = await standing(world);
    expect(held).toMatchObject({ code: 5, state: "connected", held: 1, pending: 0 });
    expect(held.banner).toContain("the vault has no tokens of HubSpot (acme)");
    const list = await run(world, "invites", "list");
    expect(list.out).not.toContain("no longer takes our login");
    expect(existsSync(join(world.stateDir, "vault.db"))).toBe(false);

    bringBack();
    expect((await run(world, "run", "retry")).code).toBe(0);
    expect(await standing(world)).toMatchObject({ code: 0, held: 0, pending: 0, tokens: "readable" });
    expect(Object.keys(await world.portal.contacts())).toHaveLength(1);
  });

  test("goes on with a new connection as well", async () => {
    const world = await connected();
    await importResults(world, [invite()]);
    takeVault(world);
    expect((await run(world, "run", "retry")).code).toBe(5);
    await succeed(world, ["secrets", "set", "hubspot.client-secret"], "the-secret-of-our-app");
    await succeed(world, ["connect", "hubspot"]);
    expect((await run(world, "run", "retry")).code).toBe(0);
    expect(await standing(world)).toMatchObject({ code: 0, tokens: "readable", held: 0, pending: 0 });
  });

  test("is told beside a service that has nothing to send yet", async () => {
    const world = await connected();
    takeVault(world);
    const service = await launchService(world);
    expect(
      await until("status sees the service", async () => {
        const { code, json } = await jsonOf(world, "status");
        return json.service === "running" && { code, tokens: json.connections[0].tokens };
      }),
    ).toEqual({ code: 5, tokens: "unreadable" });
    expect(existsSync(join(world.stateDir, "vault.db"))).toBe(false);
    service.child.kill("SIGTERM");
    expect((await service.ended).code).toBe(0);
  });
});

test("an idle service tells within three minutes that an older vault was put back, though no token is due", async () => {
  const clock = fakeClock();
  const world = await freshWorld({ clock });
  await succeed(world, ["secrets", "set", "hubspot.client-secret"], "the-secret-of-our-app");
  const [vault, older] = [join(world.stateDir, "vault.db"), join(world.dir, "older.db")];
  copyFileSync(vault, older);
  await succeed(world, ["connect", "hubspot"]);
  const { running } = await serving(world, { env: { JC_LOG_LEVEL: "debug" } });
  const passMinute = async () => {
    await clock.advance(60_000);
    await until("the scheduler rests again", () => clock.sleepers() > 0);
  };
  // What a start leaves to be done is done: from then on a whole run of the job is passed over.
  const refreshes = () => running.err().split("name=refresh").length;
  await until("the refresh job rests", async () => {
    const before = refreshes();
    await passMinute();
    await world.run(["status"]);
    return refreshes() === before;
  });
  copyFileSync(older, vault);
  for (let minute = 0; minute < 3; minute++) {
    await passMinute();
    await world.run(["status"]);
  }
  await until("it is told", () => running.err().includes("tokens cannot be read"));
  expect(running.err()).toContain("the vault has no tokens of");
});

test.each([
  ["vault", "status"],
  ["secrets", "list"],
  ["doctor", ""],
  ["status", ""],
  ["logs", ""],
  ["invites", "list"],
  ["webhooks", "log"],
  ["config", "check"],
])("%s %s only looks: no key, no vault, no directory", async (...words) => {
  const world = await freshWorld();
  removeTree(world.stateDir);
  const keyFile = join(world.dir, "keys", "vault.key");
  Object.assign(world.env, { JC_VAULT_KEY_FILE: keyFile });
  const before = readdirSync(world.dir);
  await run(world, ...words.filter((word) => word !== ""));
  expect(readdirSync(world.dir)).toEqual(before);
});

test("a look at another state leaves a missing key missing, for the vault that it belongs to", async () => {
  const world = await connected();
  const key = readdirSync(world.stateDir).includes("vault.key") ? join(world.stateDir, "vault.key") : null;
  const keyFile = key ?? join(world.dir, "vault.key");
  renameSync(keyFile, join(world.dir, "key-elsewhere"));
  const other = { ...world, env: { ...world.env, JC_STATE_DIR: join(world.dir, "second") } };
  expect((await run(other, "vault", "status")).out).toContain("nothing is kept there yet");
  expect(existsSync(keyFile)).toBe(false);
  expect((await run(world, "vault", "status")).err).toContain("The vault's key is missing");
});
