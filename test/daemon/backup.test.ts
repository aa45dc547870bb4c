/** The daily backup of a running `serve`, and who hears when there is none. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { BIN, launch, launchService, send } from "../end-to-end/program.ts";
import { fakeClock } from "../fake-clock.ts";
import { testWithMounts } from "../store/parts.ts";
import { connected, importResults, invite, succeed, until, type World } from "../world.ts";
import { serving } from "./serving.ts";

const HOUR = 3_600_000;
const backupsIn = (directory: string) =>
  existsSync(directory) ? readdirSync(directory).filter((name) => name.endsWith(".backup")) : [];
const lastAt = async (world: World) => Object((await world.run(["status", "--json"])).json).backup?.lastAt;

/** How long a command takes here, and now. */
async function msOf(world: World, argv: readonly string[]): Promise<number> {
  const beganAt = performance.now();
  expect((await launch(world, argv).ended).code).toBe(0);
  return performance.now() - beganAt;
}

describe("Ctrl-C", () => {
  test.each(["beside serve", "by itself"])(
    "ends a backup %s as interrupted, however far it is, and leaves nothing half",
    async (how) => {
      const world = await connected();
      await importResults(
        world,
        Array.from({ length: 10_000 }, () => invite()),
      );
      if (how === "beside serve") await launchService(world);
      const wholeMs = await msOf(world, ["backup"]);
      for (const [n, part] of [0.3, 0.45, 0.55, 0.6, 0.7, 0.8, 0.9, 1].entries()) {
        const { child, ended } = launch(world, n % 2 === 0 ? ["backup"] : ["run", "backup"]);
        setTimeout(() => child.kill("SIGINT"), part * wholeMs);
        const { code, signal, err } = await ended;
        expect(err, `${part} of ${wholeMs} ms, ${signal}`).not.toContain("bug");
        // Before it listens to signals the system ends it; a copy that was done already is one.
        expect([0, 130, "SIGINT"], err).toContain(code ?? signal);
        if (code === 130) expect(err).toContain("Interrupted.");
      }
      // What serve was asked for it writes to its end.
      const left = () => readdirSync(join(world.stateDir, "backups")).filter((name) => /partial/.test(name));
      await until("nothing half is left", () => left().length === 0);
    },
  );
});

test("Ctrl-C ends what reads a whole backup, also before it would be restored", async () => {
  const world = await connected();
  await importResults(
    world,
    Array.from({ length: 10_000 }, () => invite()),
  );
  await succeed(world, ["backup", "same.backup"]);
  const file = join(world.dir, "same.backup");
  const before = statSync(join(world.stateDir, "log.db")).ino;
  const codes = new Set<number | string | null>();
  for (const argv of [
    ["backup", "verify", file],
    ["restore", file, "--dry-run"],
  ]) {
    const wholeMs = await msOf(world, argv);
    for (const part of [0.5, 0.7, 0.8, 0.9]) {
      const { child, ended } = launch(world, argv);
      setTimeout(() => child.kill("SIGINT"), part * wholeMs);
      const { code, signal, err } = await ended;
      expect(err, argv.join(" ")).not.toContain("bug");
      codes.add(code ?? signal);
    }
  }
  expect([0, 130, "SIGINT"]).toEqual(expect.arrayContaining([...codes]));
  expect(statSync(join(world.stateDir, "log.db")).ino).toBe(before);
});

describe("serve", () => {
  test("makes up a daily backup at its start, while events come in, and keeps its -wal small", async () => {
    const world = await connected();
    await importResults(
      world,
      Array.from({ length: 2_000 }, () => invite()),
    );
    const directory = join(world.stateDir, "backups");
    const service = await launchService(world);
    const acknowledged: string[] = [];
    let largestWal = 0;
    const end = new AbortController();
    const senders = Array.from({ length: 4 }, async (_, sender) => {
      for (let n = 0; !end.signal.aborted; n += 1) {
        const id = `msg_${sender}_${n}`;
        if ((await send(service.url, invite(), { id }))?.status === 202) acknowledged.push(id);
        largestWal = Math.max(largestWal, statSync(join(world.stateDir, "log.db-wal")).size);
      }
    });
    const [name = ""] = await until("it is backed up", () => {
      const found = backupsIn(directory);
      return found.length > 0 && found;
    });
    end.abort();
    await Promise.all(senders);
    expect(largestWal).toBeLessThan(16 * 1024 * 1024);
    const copy = new Database(join(directory, name), { readonly: true });
    expect(copy.pragma("integrity_check", { simple: true })).toBe("ok");
    expect(Number(copy.prepare("SELECT count(*) FROM events").pluck().get())).toBeGreaterThanOrEqual(2_000);
    copy.close();
    await until("the journal tells", () => service.err().includes("backed up"));
    expect(await lastAt(world)).not.toBeNull();
    service.child.kill("SIGTERM");
    expect((await service.ended).code).toBe(0);
    // Made up once: the next start finds that it was done.
    const again = await launchService(world);
    await until("it works", async () => (await send(again.url, invite()))?.status === 202);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(backupsIn(directory)).toHaveLength(1);
  });

  test("takes the one that a command asks for, also into a file of the command's own", async () => {
    const world = await connected();
    await importResults(world, [invite()]);
    const service = await launchService(world);
    const directory = join(world.stateDir, "backups");
    await until("it has made up its own", () => service.err().includes("backed up"));
    const told = () => service.err().split("backed up").length - 1;
    await importResults(world, [invite()]);
    const first = await succeed(world, ["backup", "--json"]);
    expect(first.json).toMatchObject({ counts: { events: 2 } });
    expect(told()).toBe(2);
    expect(backupsIn(directory)).toHaveLength(2);
    const own = await succeed(world, ["backup", "own.backup", "--json"]);
    expect(own.json).toMatchObject({ file: join(world.dir, "own.backup"), counts: { events: 2 } });
    expect(told()).toBe(3);
    await succeed(world, ["backup", "verify", "own.backup"]);
    expect(await succeed(world, ["run", "backup", "--json"])).toMatchObject({ json: { events: 2 } });
    expect(told()).toBe(4);
    expect(existsSync(join(world.stateDir, "serve-backup.json"))).toBe(false);
  });

  test("hands what it met to the command that asked, which writes into a file of its own all the same", async () => {
    const world = await connected();
    const directory = join(world.dir, "full");
    writeFileSync(directory, "no directory");
    Object.assign(world.env, { JC_BACKUP_DIR: directory });
    const service = await launchService(world);
    await until("it is tried", () => service.err().includes("no backup can be written into"));
    expect(await world.run(["backup"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("no backup can be written into"),
    });
    await succeed(world, ["backup", "own.backup"]);
    await succeed(world, ["backup", "verify", "own.backup"]);
  });

  test("that is stopped meanwhile leaves the command to do it itself", async () => {
    const world = await connected();
    await importResults(world, [invite()]);
    const service = await launchService(world);
    service.child.kill("SIGSTOP");
    const run = await world.run(["backup", "--json"]);
    expect(run).toMatchObject({ code: 0, json: { counts: { events: 1 } } });
    service.child.kill("SIGKILL");
    await service.ended;
  });

  test("that cannot write backups is ready all the same, and tells after two days, once, and when it is over", async () => {
    const clock = fakeClock(Date.now());
    const world = await connected({ clock, env: { JC_ALERTS_TELEGRAM_CHAT_ID: "4711" } });
    const directory = join(world.dir, "full");
    writeFileSync(directory, "no directory");
    Object.assign(world.env, {
      JC_ALERTS_TELEGRAM_API_BASE: world.emulator.telegram,
      JC_BACKUP_DIR: directory,
    });
    await succeed(world, ["secrets", "set", "telegram.bot-token"], "123:abcdef");
    const service = await serving(world);
    const texts = async () => (await world.telegram.messages()).map(({ text }) => text);
    await until("it is tried", () => service.running.err().includes("no backup can be written into"));
    expect((await service.get("/readyz")).status).toBe(200);
    expect((await service.post(invite())).status).toBe(202);
    expect((await world.run(["status"])).out).not.toContain("no good backup");

    clock.jump(clock.now() + 49 * HOUR);
    await until("its owner is told", async () =>
      (await texts()).some((text) => text.includes("no good backup")),
    );
    expect((await world.run(["status"])).out).toMatch(/! no good backup of the log is in .*full/);
    expect((await service.get("/readyz")).status).toBe(200);

    rmSync(directory);
    await succeed(world, ["backup"]);
    clock.jump(clock.now() + 61_000);
    await until("its owner is told that it is over", async () =>
      (await texts()).some((text) => text.includes("backed up again")),
    );
    const told = (await texts()).filter((text) => text.includes("backup") || text.includes("backed up"));
    expect(told).toHaveLength(2);
  });

  test("takes no backup of a log that is damaged, says so, and goes on taking events where their tables are whole", async () => {
    const world = await connected();
    await importResults(world, [invite()]);
    const log = join(world.stateDir, "log.db");
    const db = new Database(log);
    db.pragma("wal_checkpoint(TRUNCATE)");
    const page = Number(
      db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'refusals'").pluck().get(),
    );
    db.close();
    execFileSync("sh", [
      "-c",
      `head -c 4096 /dev/urandom | dd of=${log} bs=4096 seek=${page - 1} conv=notrunc 2>&1`,
    ]);
    const service = await launchService(world);
    await until("it is tried", () => service.err().includes("not backed up"));
    expect((await send(service.url, invite()))?.status).toBe(202);
    expect(readdirSync(join(world.stateDir, "backups"))).toEqual([]);
    expect(await world.run(["backup"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("not whole"),
    });
    expect(await world.run(["run", "backup"])).toMatchObject({ code: 2 });
  });

  test("that is told to stop does not wait for a backup", async () => {
    const world = await connected();
    await importResults(
      world,
      Array.from({ length: 3_000 }, () => invite()),
    );
    const service = await launchService(world);
    await until("it begins", () => readdirSync(world.stateDir).includes("backups"));
    service.child.kill("SIGTERM");
    const beganAt = performance.now();
    expect((await service.ended).code).toBe(0);
    expect(performance.now() - beganAt).toBeLessThan(10_000);
    await succeed(world, ["backup"]);
    expect(readdirSync(join(world.stateDir, "backups")).filter((name) => name.includes("partial"))).toEqual(
      [],
    );
  });
});

testWithMounts("a backup that finds no room says so, leaves nothing, and the log is as it was", async () => {
  const world = await connected();
  await importResults(world, [invite()]);
  const directory = join(world.dir, "small");
  mkdirSync(directory);
  const script = `mount -t tmpfs -o size=1m tmpfs "$0" && { "$@"; echo "code $?"; ls -A "$0"; }`;
  const out = execFileSync(
    "unshare",
    ["-m", "sh", "-c", `${script} 2>&1`, directory, process.execPath, BIN, "backup"],
    {
      env: { PATH: process.env.PATH, ...world.env, JC_BACKUP_DIR: directory },
      encoding: "utf8",
    },
  );
  expect(out).toContain(`there is no room for a backup in ${directory}`);
  expect(out).toMatch(/code 2\n$/);
  await succeed(world, ["run", "retry"]);
});
