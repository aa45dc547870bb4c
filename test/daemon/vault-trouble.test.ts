import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { type FakeClock, fakeClock } from "../fake-clock.ts";
import { missingForKeychain, startKeyring } from "../vault/keyring.ts";
import { connect, freshWorld, invite, until, type World } from "../world.ts";
import { type Serving, serving } from "./serving.ts";

const MINUTE = 60_000;

/** A connected org with a chat for its alerts, on a clock that a test moves. */
async function withChat(env: Record<string, string> = {}) {
  const clock = fakeClock();
  const world = await freshWorld({ clock, env: { JC_ALERTS_TELEGRAM_CHAT_ID: "4711", ...env } });
  Object.assign(world.env, { JC_ALERTS_TELEGRAM_API_BASE: world.emulator.telegram });
  await connect(world);
  const set = await world.run(["secrets", "set", "telegram.bot-token"], { stdin: "123:abcdef" });
  expect(set.code).toBe(0);
  return { world, clock };
}

async function messages(world: World): Promise<string[]> {
  return (await world.telegram.messages()).map(({ text }) => text);
}

async function importOne(world: World): Promise<void> {
  const file = world.file(`${Math.random()}.ndjson`, [invite()]);
  expect((await world.run(["invites", "import", file])).code).toBe(0);
}

/** Lets a minute pass until it is so; the service's own work takes real time in between. */
async function withinMinutes(clock: FakeClock, minutes: number, what: string, look: () => Promise<boolean>) {
  for (let passed = 0; passed < minutes; passed += 1) {
    await clock.advance(MINUTE);
    if (await until(what, look, 1_500).catch(() => false)) return;
  }
  await until(what, look);
}

const isReady = async ({ get }: Serving) => (await get("/readyz")).status === 200;
const isNotReady = async (service: Serving) => !(await isReady(service));

async function expectUnreadable(world: World, held: number, words: RegExp): Promise<void> {
  const shown = await until("status ends with 5", async () => {
    const run = await world.run(["status"]);
    return run.code === 5 ? run : null;
  });
  expect(shown.out).toContain("[Tokens unreadable]");
  expect(shown.out).toMatch(/! HubSpot: tokens cannot be read since .*Results wait/);
  expect(shown.out).toMatch(words);
  const { json } = await world.run(["status", "--json"]);
  const connections = [{ state: "connected", tokens: "unreadable" }];
  expect(json).toMatchObject({ connections, pushes: { pending: 0, held, rejected: 0 } });
}

async function expectAllDelivered(world: World, delivered: number): Promise<void> {
  const isDelivered = async () => {
    const { json } = await world.run(["status", "--json"]);
    return Object(Object(json).pushes).delivered === delivered;
  };
  await until(`${delivered} are delivered`, isDelivered);
  const { code, json } = await world.run(["status", "--json"]);
  expect(code).toBe(0);
  expect(json).toMatchObject({
    connections: [{ state: "connected", tokens: "readable", banner: null }],
    pushes: { pending: 0, held: 0 },
  });
  expect(Object.keys(await world.portal.contacts())).toHaveLength(delivered);
  const { json: logged } = await world.run(["logs", "--json", "--outcome", "retry"]);
  expect(logged).toMatchObject({ attempts: [] });
}

/** Ways in which a sealed vault goes; each returns how it comes back. */
const DAMAGES: [string, RegExp, (world: World) => () => void][] = [
  [
    "is overwritten",
    /vault\.db cannot be used/,
    ({ stateDir }) => {
      const path = join(stateDir, "vault.db");
      const held = readFileSync(path);
      writeFileSync(path, Buffer.alloc(held.length, "x"));
      return () => writeFileSync(path, held);
    },
  ],
  [
    "is moved away",
    /vault\.db was moved away/,
    ({ stateDir }) => {
      const path = join(stateDir, "vault.db");
      renameSync(path, `${path}.aside`);
      return () => renameSync(`${path}.aside`, path);
    },
  ],
  [
    "is sealed with a key that is not here",
    /does not open the vault/,
    ({ stateDir, dir }) => {
      const [path, key] = [join(stateDir, "vault.db"), join(dir, "vault.key")];
      const held = [readFileSync(path), readFileSync(key)] as const;
      const vault = new Database(path);
      vault.prepare("UPDATE choice SET salt = randomblob(32)").run();
      vault.close();
      return () => {
        writeFileSync(path, held[0]);
        writeFileSync(key, held[1], { mode: 0o600 });
      };
    },
  ],
];

describe("a vault that the service cannot read any more", () => {
  test.each(DAMAGES)(
    "(it %s) holds results, is told once, and lets all go on when it is back",
    async (_what, words, damage) => {
      const { world, clock } = await withChat();
      const service = await serving(world);
      expect((await service.post(invite())).status).toBe(202);
      await expectAllDelivered(world, 1);

      for (const [round, delivered] of [1, 2].entries()) {
        const repair = damage(world);
        await withinMinutes(clock, 2, "it is noticed", () => isNotReady(service));
        expect((await service.get("/readyz")).body).toBe('{"status":"vault"}\n');
        expect(service.running.err()).toMatch(words);
        expect((await service.post(invite())).status).toBe(202);
        await expectUnreadable(world, 1, words);
        const isTold = async () => (await messages(world)).length === round + 1;
        await withinMinutes(clock, 2, "the owner is told", isTold);
        await clock.advance(10 * MINUTE);
        expect((await messages(world)).at(-1)).toMatch(words);

        repair();
        await withinMinutes(clock, 2, "it is ready again", () => isReady(service));
        await expectAllDelivered(world, delivered + 1);
        await clock.advance(2 * MINUTE);
        expect(await messages(world)).toHaveLength(round + 1);
      }
      expect((await service.running.stop()).code).toBe(0);
    },
  );

  test("(it never could) refuses webhooks for later, and tells of it as soon as the bot's token can be read", async () => {
    const { world, clock } = await withChat();
    const key = join(world.dir, "vault.key");
    renameSync(key, `${key}.aside`);
    await importOne(world);
    const service = await serving(world);
    expect(await service.get("/readyz")).toMatchObject({
      status: 503,
      body: '{"status":"vault"}\n',
    });
    expect(service.running.err()).toContain("The vault's key is missing");
    expect(await service.get("/healthz")).toMatchObject({ status: 200 });
    expect(await service.post(invite())).toMatchObject({ status: 503 });
    await expectUnreadable(world, 1, /Restore the key file/);
    await importOne(world);
    await clock.advance(20 * MINUTE);
    await expectUnreadable(world, 2, /Restore the key file/);
    expect(await messages(world)).toEqual([]);

    renameSync(`${key}.aside`, key);
    await withinMinutes(clock, 2, "it is ready", () => isReady(service));
    expect(await service.post(invite())).toMatchObject({ status: 202 });
    await expectAllDelivered(world, 3);
    await withinMinutes(clock, 2, "the owner is told", async () => (await messages(world)).length === 1);
    await clock.advance(5 * MINUTE);
    expect(await messages(world)).toEqual([expect.stringContaining("The vault's key is missing")]);
  });

  test("(one org's tokens alone) holds that org's results and nobody else's", async () => {
    const { world } = await withChat();
    await world.portal.settings({ portalId: 9_000_001 });
    expect((await world.run(["connect", "hubspot", "--org", "globex"])).code).toBe(0);
    const vault = new Database(join(world.stateDir, "vault.db"));
    vault.prepare("UPDATE item SET sealed = randomblob(200) WHERE name LIKE 'token/globex/%'").run();
    vault.close();
    const service = await serving(world);
    expect((await service.post(invite())).status).toBe(202);
    expect((await service.post(invite({ org: "globex" }))).status).toBe(202);
    await expectAllDelivered(world, 1);
    const isHeld = async () => (await world.run(["status", "--org", "globex"])).code === 5;
    await until("globex waits", isHeld);
    expect(await service.get("/readyz")).toMatchObject({ status: 200 });
    expect((await world.run(["connect", "hubspot", "--org", "globex"])).code).toBe(0);
    const isDelivered = async () => Object.keys(await world.portal.contacts()).length === 2;
    await until("globex is delivered", isDelivered);
    expect((await world.run(["status", "--org", "globex"])).code).toBe(0);
  });
});

describe("commands without a service", () => {
  test("end with 5 and a fix while the vault cannot be read, and lose nothing", async () => {
    const { world } = await withChat();
    await importOne(world);
    expect((await world.run(["run", "retry"])).code).toBe(0);
    const key = join(world.dir, "vault.key");
    renameSync(key, `${key}.aside`);
    await importOne(world);
    for (const argv of [
      ["resync-properties"],
      ["run", "retry"],
      ["run", "refresh"],
      ["replay", "--status", "delivered", "--yes"],
    ]) {
      const { code, err } = await world.run(argv);
      // A token that needs no refresh leaves nothing else to be read.
      expect(`${argv.join(" ")}: ${code}`).toBe(`${argv.join(" ")}: 5`);
      expect(err).toContain("→ Restore the key file");
    }
    const { json } = await world.run(["status", "--json"]);
    expect(json).toMatchObject({ pushes: { pending: 0, held: 2, rejected: 0 } });
    renameSync(`${key}.aside`, key);
    expect((await world.run(["run", "retry"])).code).toBe(0);
    await expectAllDelivered(world, 2);
  });

  test.each([[["run", "retry"]], [["run", "refresh"]], [["resync-properties"]]])(
    "(%s) say in status what they found, and that it is over",
    async (argv) => {
      const { world } = await withChat();
      const key = join(world.dir, "vault.key");
      await importOne(world);
      renameSync(key, `${key}.aside`);
      expect(await world.run(argv)).toMatchObject({ code: 5 });
      await expectUnreadable(world, 1, /Restore the key file/);
      renameSync(`${key}.aside`, key);
      expect((await world.run(argv)).code).toBe(0);
      const { code, json } = await world.run(["status", "--json"]);
      expect(code).toBe(0);
      expect(json).toMatchObject({ connections: [{ tokens: "readable" }], pushes: { held: 0 } });
    },
  );

  test("hold nothing that a running service can deliver", async () => {
    const { world } = await withChat();
    const service = await serving(world);
    const key = join(world.dir, "vault.key");
    renameSync(key, `${key}.aside`);
    for (const argv of [["run", "refresh"], ["resync-properties"]])
      expect(await world.run(argv)).toMatchObject({ code: 5 });
    expect((await service.post(invite())).status).toBe(202);
    await expectAllDelivered(world, 1);
  });

  test("that only look write nothing", async () => {
    const { world } = await withChat();
    const key = join(world.dir, "vault.key");
    renameSync(key, `${key}.aside`);
    expect(await world.run(["resync-properties", "--dry-run"])).toMatchObject({ code: 5 });
    expect(await world.run(["status"])).toMatchObject({ code: 5 });
    renameSync(`${key}.aside`, key);
    expect(await world.run(["status"])).toMatchObject({ code: 0 });
  });

  test("release what a service held that ended meanwhile, as soon as they can read the vault", async () => {
    const { world } = await withChat();
    const key = join(world.dir, "vault.key");
    renameSync(key, `${key}.aside`);
    await importOne(world);
    const { running } = await serving(world);
    await expectUnreadable(world, 1, /key is missing/);
    expect(await world.run(["replay", "--vendor", "hubspot", "--yes"])).toMatchObject({ code: 5 });
    await running.stop();
    expect(await world.run(["run", "retry"])).toMatchObject({ code: 5 });
    await expectUnreadable(world, 1, /key is missing/);
    renameSync(`${key}.aside`, key);
    expect((await world.run(["run", "retry"])).code).toBe(0);
    await expectAllDelivered(world, 1);
  });
});

const missing = missingForKeychain();

describe.skipIf(missing !== null)(
  `with a real keyring${missing === null ? "" : ` (${missing} is missing)`}`,
  () => {
    test("that is locked while the service runs, results wait until it is unlocked", async () => {
      const keyring = await startKeyring();
      const { world, clock } = await withChat({ ...keyring.env, JC_VAULT_BACKEND: "keychain" });
      const service = await serving(world);
      expect((await service.post(invite())).status).toBe(202);
      await expectAllDelivered(world, 1);

      await keyring.lock();
      await clock.advance(MINUTE);
      await until("it is noticed", () => isNotReady(service));
      expect((await service.post(invite())).status).toBe(202);
      await expectUnreadable(world, 1, /keychain/);
      await withinMinutes(clock, 3, "the owner is told", async () => (await messages(world)).length === 1);

      await keyring.unlock();
      await withinMinutes(clock, 2, "it is ready again", () => isReady(service));
      await expectAllDelivered(world, 2);
    });
  },
);
