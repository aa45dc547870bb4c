/** What can be wrong with the machine, the program, the configuration, the vault and the log; and how all of it is printed. */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { lookAtKeptCode } from "../../src/shared/kept-code.ts";
import { issued, missingForCertificates, tlsSettings } from "../certificates.ts";
import { dist } from "../built.ts";
import { temporaryDirectory } from "../directory.ts";
import { BIN } from "../end-to-end/program.ts";
import { publicWorld } from "../connect/linked.ts";
import { serving } from "../daemon/serving.ts";
import { fakeClock } from "../fake-clock.ts";
import {
  connected,
  freePort,
  freshWorld,
  importResults,
  invite,
  prepared,
  succeed,
  type World,
} from "../world.ts";
import { examined, expectMended, expectTold, found, typed } from "./found.ts";

const ASKED_THERE = { vendor: "smartrecruiters", candidate_id: "c1", job_id: "j1", assessment_id: "a1" };
const DAY_MS = 24 * 3_600_000;

describe("the configuration", () => {
  test("that no command starts with is all that is looked at, with everything that is wrong with it", async () => {
    const world = await freshWorld();
    const good = readFileSync(world.configFile, "utf8");
    writeFileSync(world.configFile, '[hubspot]\ntier = "gold"\nclientid = "x"\n');
    const { findings, code, isPart } = await examined(world);
    expect([code, isPart]).toEqual([2, true]);
    expect(findings.map(({ id }) => id)).toEqual(["configuration", "configuration", "configuration.app"]);
    expect(findings[0]).toMatchObject({
      command: null,
      who: expect.stringContaining(`Whoever may write ${world.configFile}`),
    });
    expect((await world.run(["doctor"])).out).toContain(
      "All else is looked at once the configuration is right.",
    );
    writeFileSync(world.configFile, good);
    expect((await examined(world)).isPart).toBe(false);
  });

  test("with a file that is missing keeps nothing else from being looked at", async () => {
    const world = await connected();
    const broken = { env: { JC_SERVE_TLS_CERT: "/nowhere.pem", JC_SERVE_TLS_KEY: "/nowhere.key" } };
    const { findings, code, isPart } = await examined(world, [], broken);
    expect([code, isPart]).toEqual([2, false]);
    const faults = findings.filter(({ exit }) => exit === 2);
    expect(faults.map(({ what }) => what)).toEqual([
      "serve.tls_cert: there is no file /nowhere.pem",
      "serve.tls_key: there is no file /nowhere.key",
    ]);
    expect((await examined(world)).code).toBe(0);
  });

  test.skipIf(missingForCertificates !== null)(
    "whose receiver speaks TLS to whom it is trusted by",
    async () => {
      const world = await prepared();
      const pair = issued();
      const port = await freePort();
      Object.assign(world.env, tlsSettings(pair), {
        JC_SERVE_LISTEN: `127.0.0.1:${port}`,
        JC_SERVE_PUBLIC_URL: `https://localhost:${port}`,
      });
      await succeed(world, ["connect", "hubspot"]);
      await serving(world);
      const trusted = { env: { JC_NETWORK_CA_FILE: pair.certFile } };
      expect(await found(world, "receiver")).toMatchObject({
        exit: 2,
        what: expect.stringContaining("the certificate of localhost is not trusted"),
        who: expect.stringContaining("set network.ca_file"),
      });
      expect(await found(world, "receiver", [], trusted)).toBeUndefined();
      const { areas } = await examined(world, [], trusted);
      expect(areas.find(({ id }) => id === "receiver")?.says).toMatch(/^https:.*, over TLS 1\.2 or newer$/);
    },
  );

  test.skipIf(missingForCertificates !== null)("with a certificate that has ended", async () => {
    const world = await connected();
    const env = tlsSettings(issued({ from: Date.now() - 9 * DAY_MS, until: Date.now() - DAY_MS }));
    expect(await found(world, "tls", [], { env })).toMatchObject({
      exit: 2,
      who: expect.stringContaining("Whoever renews certificates"),
    });
    expect(await found(world, "tls", [], { env: tlsSettings(issued()) })).toBeUndefined();
  });
});

describe("the machine", () => {
  test.each([
    [10 * 60_000, 2, /10 min ahead of HubSpot's/],
    [-10 * 60_000, 2, /10 min behind HubSpot's/],
    [60_000, 0, /(59|60|61) s ahead/],
  ])("whose clock is %i ms off", async (off, exit, words) => {
    const clock = fakeClock(Date.now() + off);
    const world = await connected({ clock });
    const told = await expectTold(world, {
      id: "clock",
      exit,
      who: /Whoever runs this machine: .* timedatectl set-ntp true/,
      done: () => clock.jump(Date.now()),
    });
    expect(told.what).toMatch(words);
  });

  test("whose program was built by another Node is slower, and says so", () => {
    const directory = temporaryDirectory();
    const [from, to] = [dist(), pathToFileURL(`${directory}/dist/`)];
    cpSync(from, to, { recursive: true, filter: (path) => !/\/(man|completion)$/.test(path) });
    expect(lookAtKeptCode(to)).toEqual({ directory, hasSources: false, trouble: null });
    const names = readdirSync(to).filter((name) => name.endsWith(".cjs.code"));
    const one = new URL(names[0] ?? "", to);
    const good = readFileSync(one);
    writeFileSync(one, Buffer.from(good.toString("latin1").replace(process.version, "v1.2.3"), "latin1"));
    expect(lookAtKeptCode(to).trouble).toMatch(/is of Node v1\.2\.3/);
    writeFileSync(one, good.subarray(0, -1));
    expect(lookAtKeptCode(to).trouble).toMatch(/damaged/);
    for (const name of names) rmSync(new URL(name, to));
    expect(lookAtKeptCode(to).trouble).toMatch(/missing/);
  });
});

describe("the vault", () => {
  test("whose key is gone", async () => {
    const world = await connected();
    const key = join(world.dir, "vault.key");
    renameSync(key, `${key}.away`);
    await expectTold(world, {
      id: "vault",
      exit: 5,
      who: /vault\.key|key/,
      done: () => renameSync(`${key}.away`, key),
    });
    expect((await examined(world)).code).toBe(0);
  });
});

describe("the log", () => {
  test("that is damaged, with and without a backup", async () => {
    const world = await connected();
    await importResults(world, [invite()]);
    await succeed(world, ["backup"]);
    damage(world, "invites");
    const before = await found(world, "store.damage");
    expect(before).toMatchObject({ exit: 2, code: 2 });
    expect(before?.command).toMatch(/^jc-integrations restore \S+$/);
    const { out } = await world.run(["doctor"]);
    expect(out.split("jc-integrations restore ")).toHaveLength(2);
    await typed(world, `${before?.command} --yes`);
    expect((await examined(world)).code).toBe(0);
    expect((await world.run(["invites", "list"])).out).toContain("completed");
  });

  test("that is no log at all", async () => {
    const world = await connected();
    for (const beside of ["-wal", "-shm"]) rmSync(join(world.stateDir, `log.db${beside}`), { force: true });
    writeFileSync(join(world.stateDir, "log.db"), "nothing of the kind".repeat(5_000));
    const before = await found(world, "store");
    expect(before).toMatchObject({
      exit: 2,
      code: 2,
      command: expect.stringMatching(/^cd .*store new-log --yes$/),
    });
    inShell(world, before?.command ?? "");
    expect(await found(world, "store")).toBeUndefined();
  });

  test("in a directory that others look into", async () => {
    const world = await connected();
    writeFileSync(join(world.stateDir, "notes.txt"), "");
    chmodSync(world.stateDir, 0o755);
    await expectTold(world, {
      id: "store.files",
      exit: 0,
      who: /give jc-integrations a directory of its own/,
      done: () => chmodSync(world.stateDir, 0o700),
    });
  });

  test("that was not backed up for long, also by --fix", async () => {
    const clock = fakeClock(Date.now() + 3 * DAY_MS);
    const world = await connected({ clock });
    await expectMended(world, { id: "backup", exit: 0 });
    clock.jump(clock.now() + 3 * DAY_MS);
    const { fixed, findings } = await examined(world, ["--fix"]);
    expect(fixed).toEqual([
      { id: "backup", did: expect.stringMatching(/^backed up the log: .*backups\//), problem: null },
    ]);
    expect(findings.map(({ id }) => id)).not.toContain("backup");
  });
});

describe("the alerts", () => {
  test("that nobody hears, or that Telegram does not take", async () => {
    const world = await connected();
    expect(await found(world, "alerts")).toMatchObject({
      level: "warning",
      who: expect.stringContaining("chat_id"),
    });
    Object.assign(world.env, {
      JC_ALERTS_TELEGRAM_CHAT_ID: "4711",
      JC_ALERTS_TELEGRAM_API_BASE: world.emulator.telegram,
    });
    await expectMended(world, { id: "alerts", exit: 0, stdin: "wrong" });
    const refused = await expectMended(world, { id: "alerts.chat", exit: 2, stdin: "123:abcdef" });
    expect(refused.what).toContain("does not know this bot token");
    expect(await world.telegram.messages()).toEqual([]);
    await world.telegram.fault({ status: 500, body: "{}" });
    expect(await found(world, "alerts.chat")).toMatchObject({ exit: 6 });
  });
});

describe("what is printed", () => {
  test("is a short calm list where all is well", async () => {
    const world = await healthy();
    const { code, out, err } = await world.run(["doctor"], { env: { COLUMNS: "80" } });
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^acme {2}all is well\n\n✓ configuration {3}\//);
    expect(out.match(/^✓ /gm)).toHaveLength(11);
    expect(out.replace(/\n {2}/g, " ")).toMatch(/^✓ HubSpot {9}.*8480001.*5 scopes, 17 properties/m);
    expect(out.split("\n").length).toBeLessThan(26);
    expectFits(out);
  });

  test("has the worst first, within 80 columns, and what to type at its end", async () => {
    const world = await connected();
    // A webhook came once.
    const log = new Database(join(world.stateDir, "log.db"));
    log.exec("INSERT INTO sources (source, taken_at) VALUES ('jobcannon', 1)");
    log.close();
    await world.portal.archiveProperty("jc_disc_d");
    await succeed(world, ["secrets", "remove", "jobcannon.webhook-secret", "--yes"]);
    const { code, out, err } = await world.run(["doctor"], { env: { COLUMNS: "80" } });
    expect(code).toBe(2);
    expect(out).toMatch(/^acme {2}2 faults, 2 warnings\n\n✗ No webhook secret of JobCannon is set\n/);
    expect(out.indexOf("✗ HubSpot lacks jc_disc_d")).toBeGreaterThan(10);
    expect(out).toContain("\n  → jc-integrations secrets set jobcannon.webhook-secret\n");
    expect(out).toContain("\nWell: configuration, program, clock, vault and store.\n");
    expect(out).toMatch(
      /\n\nNot looked at:\n· backup {10}none yet in backup.dir; .*\n· receiver {8}serve does not run\n$/,
    );
    expect(err).toBe(
      "Error: 2 faults: webhooks, HubSpot\n  → jc-integrations secrets set jobcannon.webhook-secret\n",
    );
    expectFits(out);
  });

  test("of secrets that nobody needs yet only warns: of a vendor that is not connected, of webhooks that nobody hears", async () => {
    const world = await connected({ env: { JC_SMARTRECRUITERS_CLIENT_ID: "any" } });
    for (const name of ["smartrecruiters.client-secret", "jobcannon.webhook-secret"])
      await world.run(["secrets", "remove", name, "--yes"]);
    // Nobody misses what is configured and no more; whose results wait is missed.
    const unmissed = await examined(world);
    expect(unmissed.findings.filter(({ id }) => id.startsWith("smartrecruiters"))).toEqual([]);
    await importResults(world, [invite({ source: ASKED_THERE })]);
    const { code, findings } = await examined(world);
    expect(code).toBe(0);
    const byId = new Map(findings.map((each) => [each.id, each]));
    expect(byId.get("webhooks.secret")).toMatchObject({ level: "warning", exit: 0 });
    expect(byId.get("smartrecruiters.app")).toBe(undefined);
    expect(byId.get("smartrecruiters.connection")).toMatchObject({
      level: "warning",
      exit: 0,
      command: "jc-integrations secrets set smartrecruiters.client-secret",
      who: expect.stringContaining("Then: jc-integrations connect smartrecruiters"),
    });
    const named = await examined(world, ["smartrecruiters"]);
    expect(named.findings.find(({ id }) => id === "smartrecruiters.app")).toMatchObject({ exit: 2 });
    const service = await serving(world);
    expect((await examined(world)).findings.find(({ id }) => id === "webhooks.secret")).toMatchObject({
      exit: 2,
    });
    await service.running.stop();
  });

  test("is indented under its mark also in colour, on a narrow terminal", async () => {
    const world = await connected();
    const { out } = await world.run(["doctor"], { isTerminal: true, env: { FORCE_COLOR: "1" } });
    expect(out).toContain("\u001b[33m! \u001b[39mNobody is alerted");
    const at = async (columns: string) =>
      (await world.run(["doctor", "--no-color"], { env: { COLUMNS: columns } })).out.split("\n");
    for (const columns of ["60", "120"])
      expect((await at(columns)).filter((line) => line.length > Number(columns))).toEqual([]);
  });

  test("names the places that were given, also for scripts", async () => {
    const world = await prepared();
    const env = { JC_CONFIG: "", JC_STATE_DIR: "" };
    const places = ["--config", world.configFile, "--state-dir", world.stateDir];
    const before = await found(world, "hubspot.connection", ["hubspot", ...places], { env });
    expect(before?.command).toContain(
      `jc-integrations --config ${world.configFile} --state-dir ${world.stateDir} connect`,
    );
    expect((await typed(world, before?.command ?? null, { env })).code).toBe(0);
    expect(await found(world, "hubspot.connection", ["hubspot", ...places], { env })).toBeUndefined();
  });

  test("is about one org, and about a vendor that there is", async () => {
    const world = await connected();
    const mistyped = await world.run(["doctor", "--org", "acmee"]);
    expect(mistyped).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringContaining("nothing is known of the org acmee"),
    });
    expect(await world.run(["doctor", "hubspott"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("Did you mean hubspot?"),
    });
    expect(await world.run(["doctor", "jobcannon"])).toMatchObject({ code: 2 });
  });

  test("creates nothing where nothing is yet", async () => {
    const world = await freshWorld();
    const { findings, areas } = await examined(world);
    expect(findings.map(({ id }) => id)).toEqual(["hubspot.connection"]);
    const LOOKED_AT = ["configuration", "program", "clock"];
    expect(areas.filter(({ isWell }) => isWell).map(({ id }) => id)).toEqual(LOOKED_AT);
    const unlooked = areas.filter(({ notLookedAt }) => notLookedAt !== null).map(({ id }) => id);
    expect(areas.map(({ id }) => id)).toEqual([...LOOKED_AT, ...unlooked, "hubspot"]);
    expect(await examined(world, ["--sandbox"])).toMatchObject({
      areas: expect.arrayContaining([
        expect.objectContaining({
          id: "backup",
          isWell: false,
          notLookedAt: expect.stringMatching(/^none yet/),
        }),
      ]),
    });
    expect(() => readFileSync(join(world.stateDir, "log.db"))).toThrow("ENOENT");
    expect(() => readFileSync(join(world.stateDir, "vault.db"))).toThrow("ENOENT");
  });
});

async function healthy(): Promise<World> {
  const world = await publicWorld({ env: { JC_ALERTS_TELEGRAM_CHAT_ID: "4711" } });
  await succeed(world, ["connect", "hubspot"]);
  Object.assign(world.env, { JC_ALERTS_TELEGRAM_API_BASE: world.emulator.telegram });
  await succeed(world, ["secrets", "set", "telegram.bot-token"], "123:abcdef");
  await succeed(world, ["backup"]);
  await serving(world);
  return world;
}

function expectFits(out: string): void {
  expect(out.split("\n").filter((line) => line.length > 80 && line.trim().includes(" "))).toEqual([]);
}

/** A page of that table is no page any more. */
function damage({ stateDir }: World, table: string): void {
  const log = join(stateDir, "log.db");
  const db = new Database(log);
  db.pragma("wal_checkpoint(TRUNCATE)");
  const page = Number(db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = ?").pluck().get(table));
  db.close();
  const to = [`of=${log}`, "bs=4096", `seek=${page - 1}`, "count=1", "conv=notrunc"];
  execFileSync("dd", ["if=/dev/urandom", ...to], { stdio: "pipe" });
}

/** As it is printed, with the built program under its name. */
function inShell(world: World, command: string): void {
  const shim = join(world.dir, "jc-integrations");
  writeFileSync(shim, `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`);
  chmodSync(shim, 0o755);
  execFileSync("sh", ["-ec", command], {
    env: { ...world.env, PATH: `${world.dir}:${process.env.PATH}` },
    stdio: "pipe",
  });
}
