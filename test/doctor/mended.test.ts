/** The findings of no one vendor: each broken for real, and mended by what doctor prints, or by who is told. */
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { secret } from "../../src/shared/secret.ts";
import { openVault } from "../../src/vault/open.ts";
import { dist } from "../built.ts";
import { serving } from "../daemon/serving.ts";
import { temporaryDirectory } from "../directory.ts";
import { launch, launchService, send } from "../end-to-end/program.ts";
import { children } from "../store/child.ts";
import { connected, importResults, invite, prepared, succeed, until, WEBHOOK_SECRET } from "../world.ts";
import { expectMended, expectTold, found, typed } from "./found.ts";

const root = new URL("../../", import.meta.url);
const MB = 1024 * 1024;
const start = children();

describe("the log", () => {
  // What is merely open to others the program closes by itself.
  test.skipIf(process.getuid?.() !== 0)(
    "beside which another user's file lies is put right by the printed command",
    async () => {
      const world = await connected();
      const old = join(world.stateDir, "log.db.v1-2026-11-28T13-21-52-000Z-1.backup");
      writeFileSync(old, "");
      chownSync(old, 65534, 65534);
      chmodSync(old, 0o644);
      const before = await found(world, "store.files");
      expect(before).toMatchObject({ level: "warning", exit: 0, who: null });
      inShell(before?.command ?? "");
      expect([statSync(old).uid, statSync(old).mode & 0o077]).toEqual([0, 0]);
      expect(await found(world, "store.files")).toBeUndefined();
    },
  );

  test("that a forgotten process holds up names it, and is small again without it", async () => {
    const world = await connected();
    await importResults(world, [invite()]);
    const reader = start("reader", [world.stateDir]);
    expect(await reader.next()).toBe("reads");
    const writer = new Database(join(world.stateDir, "log.db"));
    onTestFinished(() => void writer.close());
    writer.pragma("synchronous = OFF");
    const payload = writer.prepare<[], string>("SELECT payload FROM events").pluck().get();
    writer.prepare("UPDATE events SET payload = zeroblob(?)").run(70 * MB);
    writer.prepare("UPDATE events SET payload = ?").run(payload);
    const told = await expectTold(world, {
      id: "store.wal",
      exit: 0,
      who: new RegExp(`Whoever runs this machine: .*kill ${reader.process.pid}`),
      done: async () => {
        await reader.kill();
        await succeed(world, ["run", "retry"]);
      },
    });
    expect(told.what).toMatch(/log\.db-wal has grown to \d+ MB/);
  });
});

describe("the configuration", () => {
  test("that promises another region than the log's", async () => {
    const world = await connected();
    appendFileSync(world.configFile, '\n[orgs.acme]\nresidency = "eu"\n');
    Object.assign(world.env, { JC_STORE_REGION: "us" });
    await expectTold(world, {
      id: "configuration.region",
      exit: 0,
      who: /Whoever may write .*: correct whichever is wrong/,
      done: () => Object.assign(world.env, { JC_STORE_REGION: "eu" }),
    });
  });

  test("without the app's client id", async () => {
    const world = await prepared();
    const config = readFileSync(world.configFile, "utf8");
    writeFileSync(world.configFile, config.replace(/^client_id = .*\n/m, ""));
    await expectTold(world, {
      id: "hubspot.app",
      exit: 2,
      who: /Whoever may write the configuration: \[hubspot\] client_id = "…"/,
      argv: ["hubspot"],
      done: () => writeFileSync(world.configFile, config),
    });
  });
});

test("a port of serve's that another process has is told while it has it", async () => {
  const world = await connected();
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
  const { port } = holder.address() as AddressInfo;
  const configured = readFileSync(world.configFile, "utf8");
  const listen = `\nlisten = "127.0.0.1:${port}"`;
  writeFileSync(world.configFile, configured.replace('\nlisten = "127.0.0.1:0"', listen));
  const told = await expectTold(world, {
    id: "service.port",
    exit: 0,
    who: /ss -ltnp, and end it, or set another serve\.listen/,
    done: () => new Promise((resolve) => holder.close(resolve)),
  });
  expect(told.what).toBe(`another process listens on 127.0.0.1:${port} (serve.listen)`);
});

describe("webhooks of JobCannon", () => {
  test("that another secret signs are taken once the printed command has it", async () => {
    const world = await connected();
    const secret = `whsec_${Buffer.from("the secret that JobCannon has now").toString("base64")}`;
    const { post } = await serving(world);
    expect((await post(invite())).status).toBe(202);
    expect((await post(invite(), { secret })).status).toBe(401);
    await until("it is told", () => found(world, "webhooks.refused"));
    const before = await found(world, "webhooks.refused");
    const who = expect.stringMatching(/^It takes the secret that JobCannon signs with\. It is over with/);
    expect(before).toMatchObject({ exit: 2, code: 2, who });
    expect((await typed(world, before?.command ?? null, { stdin: secret })).code).toBe(0);
    await until("it is taken", async () => (await post(invite(), { secret })).status === 202);
    await until("it is told no more", async () => (await found(world, "webhooks.refused")) === undefined);
  });

  test("that are signed and no events are the sender's to mend, until the next good one", async () => {
    const world = await connected();
    const { post } = await serving(world);
    expect((await post(invite())).status).toBe(202);
    expect((await post("[]")).status).toBe(400);
    await until("it is told", () => found(world, "webhooks.content"));
    await expectTold(world, {
      id: "webhooks.content",
      exit: 2,
      who: /^JobCannon's people: send what docs\/events\.md says/,
      done: async () => {
        expect((await post(invite())).status).toBe(202);
        await until("it is over", async () => (await found(world, "webhooks.content")) === undefined);
      },
    });
  });

  test("that nobody signed are told from ten on, as a note", async () => {
    const world = await connected();
    const { url, post } = await serving(world);
    expect((await post(invite())).status).toBe(202);
    for (let n = 0; n < 10; n += 1) expect((await fetch(`${url}/jobcannon/events`)).status).toBe(405);
    await until("it is told", () => found(world, "webhooks.calls"));
    const told = await found(world, "webhooks.calls");
    expect(told).toMatchObject({ level: "note", exit: 0 });
    expect(told?.what).toMatch(/^10 calls at JobCannon's address refused, .*: only POST is taken here$/);
    expect((await typed(world, told?.command ?? null)).out).toContain("only POST is taken here");
  });

  test("that name an org without a connection are told with how many they are, and what connects it", async () => {
    const world = await connected();
    const { post } = await serving(world);
    const of = (org: string) => ({ ...invite(), data: { ...invite().data, org } });
    expect((await post(of("other"))).status).toBe(202);
    const one = await found(world, "webhooks.unconnected");
    expect(one).toMatchObject({ level: "warning", exit: 0 });
    expect(one?.what).toBe(
      "1 invite of an organisation without a connection: other. Connect: jc-integrations connect hubspot --org other",
    );
    expect((await post(of("ACME"))).status).toBe(202);
    expect((await found(world, "webhooks.unconnected"))?.what).toBe(
      "2 invites of organisations without a connection: ACME (1; differs from acme, which is connected, in letters' case only) and other (1). See: jc-integrations status --all",
    );
  });

  test("whose secret can be guessed", async () => {
    const world = await prepared();
    // As an older version took it.
    const vault = openVault({
      ...{ backend: "sealed", stateDir: world.stateDir, keyFile: join(world.dir, "vault.key") },
      ...{ credentialsDirectory: null, clock: world.clock, childUrl: new URL("keychain-child.js", dist()) },
      host: { platform: process.platform, nodePath: process.execPath, env: {} },
    });
    const weak = secret(`whsec_${Buffer.from("short").toString("base64")}`);
    await vault.write(new Map([["secret/-/jobcannon.webhook-secret/1", weak]]));
    await vault.close();
    await succeed(world, ["connect", "hubspot"]);
    await succeed(world, ["secrets", "list"]);
    const told = await expectTold(world, {
      id: "webhooks.weak-secret",
      exit: 0,
      who: /have a new one made where the webhook is set up, and set that/,
      done: async () => {
        await succeed(world, ["secrets", "remove", "jobcannon.webhook-secret", "--yes"]);
        await succeed(world, ["secrets", "set", "jobcannon.webhook-secret"], WEBHOOK_SECRET);
      },
    });
    expect(told.what).toContain("has 5 bytes and can be guessed");
  });
});

test("HubSpot's properties without room, and one that takes no values, are mended by the printed command once there is", async () => {
  const world = await connected();
  const { portal } = world;
  await portal.archiveProperty("jc_disc_d");
  await portal.settings({ propertyQuota: 0 });
  expect(await found(world, "hubspot.properties.quota")).toBeDefined();
  await portal.settings({ propertyQuota: null });
  // With room they are no more than missing.
  await expectMended(world, { id: "hubspot.properties", exit: 7 });
  await portal.changeProperty("jc_disc_i", { readOnlyValue: true });
  await world.run(["resync-properties"]);
  const unfit = await found(world, "hubspot.properties.unfit");
  await portal.changeProperty("jc_disc_i", { readOnlyValue: false });
  expect((await typed(world, unfit?.command ?? null)).code).toBe(0);
  expect(await found(world, "hubspot.properties.unfit")).toBeUndefined();
  await importResults(world, [invite({ email: "ann@example.org" })]);
  await succeed(world, ["run", "retry"]);
  expect((await portal.contacts())["ann@example.org"]).toMatchObject({ jc_disc_d: "68", jc_disc_i: "41" });
});

test("a chat that Telegram does not know is for who configured it", async () => {
  const world = await connected({ env: { JC_ALERTS_TELEGRAM_CHAT_ID: "4711" } });
  Object.assign(world.env, { JC_ALERTS_TELEGRAM_API_BASE: world.emulator.telegram });
  await succeed(world, ["secrets", "set", "telegram.bot-token"], "123:abcdef");
  const body = { ok: false, error_code: 400, description: "Bad Request: chat not found" };
  await world.telegram.fault({ status: 400, body });
  const told = await expectTold(world, {
    id: "alerts.chat",
    exit: 2,
    who: /chat/,
    done: () => world.telegram.clearFaults(),
  });
  expect(told.why).toBe("Trouble is told to nobody.");
});

test("a service that does not run is started by the printed command, and takes webhooks", async () => {
  const world = await connected();
  const before = await found(world, "service");
  expect(before?.command).toBe("jc-integrations serve");
  const service = await launchService(world);
  expect(await found(world, "service")).toBeUndefined();
  expect((await send(service.url, invite()))?.status).toBe(202);
});

test("a program whose kept code is another Node's is installed again", async () => {
  const world = await connected();
  const directory = temporaryDirectory();
  dist();
  const install = () => {
    for (const part of ["bin", "dist", "package.json"])
      cpSync(new URL(part, root), join(directory, part), {
        recursive: true,
        filter: (path) => !/\/(man|completion)$/.test(path),
      });
  };
  mkdirSync(directory, { recursive: true });
  install();
  symlinkSync(fileURLToPath(new URL("node_modules", root)), join(directory, "node_modules"));
  const bin = join(directory, "bin/jc-integrations.js");
  const asked = async () => {
    const { out, err } = await launch(world, ["doctor", "--json"], { bin }).ended;
    const { findings } = JSON.parse(out || `{"findings":"${err}"}`);
    return findings.find(({ id }: { id: string }) => id === "program.kept-code");
  };
  expect(await asked()).toBeUndefined();
  const kept = readdirSync(join(directory, "dist")).filter((name) => name.endsWith(".cjs.code"));
  for (const name of kept) {
    const code = readFileSync(join(directory, "dist", name), "latin1");
    writeFileSync(join(directory, "dist", name), code.replace(process.version, "v1.2.3"), "latin1");
  }
  expect(await asked()).toMatchObject({
    level: "note",
    who: `Whoever installed it in ${directory}: install it again, with the Node that runs it.`,
  });
  install();
  expect(await asked()).toBeUndefined();
});

test("every finding there can be is named in a test that breaks it", () => {
  const textIn = (folder: string, name: RegExp) =>
    readdirSync(new URL(folder, root))
      .filter((file) => name.test(file))
      .map((file) => readFileSync(new URL(folder + file, root), "utf8"))
      .join("\n");
  const checks = textIn("src/flows/doctor/checks/", /\.ts$/);
  const named = [
    ...checks.matchAll(/\b(?:fault|faultOf|warning|note|unlooked|id =|= )\(?\s*[`"]([^`" ]+)[`"]/g),
  ];
  // What differs by vendor is known by its end.
  const ids = named
    .map(([, id = ""]) => id.replace(/^.*\$\{[^}]*\}/, ""))
    .filter((id) => /^\.?[a-z][a-z.-]+$/.test(id));
  expect(ids.length).toBeGreaterThan(30);
  const tests = [
    textIn("test/doctor/", /\.test\.ts$/),
    textIn("test/systemd/", /^protocol\.test\.ts$/),
    textIn("test/start/", /^native-parts\.test\.ts$/),
  ].join("\n");
  const isBroken = (id: string) =>
    id.startsWith(".") ? tests.includes(`${id}"`) : tests.includes(`"${id}"`);
  // The database's by their words, with a real server, in database.test.ts. A rate window empties by itself within seconds, and
  // what opens a log is told as `store`: the other is for what looks through it and cannot.
  const judged = "store.durability store.standby .rate store.open".split(" ");
  expect([...new Set(ids)].filter((id) => !isBroken(id))).toEqual(judged);
});

function inShell(command: string): void {
  execFileSync("sh", ["-ec", `sudo() { "$@"; }; ${command}`], { stdio: "pipe" });
}
