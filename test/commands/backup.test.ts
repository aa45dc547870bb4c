/** `backup` as an operator meets it: what it writes, what it refuses, what it leaves. */
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { launch } from "../end-to-end/program.ts";
import { fakeClock } from "../fake-clock.ts";
import {
  CLIENT_SECRET,
  connected,
  importResults,
  invite,
  succeed,
  WEBHOOK_SECRET,
  type World,
} from "../world.ts";

const DAY = 24 * 3_600_000;
const backupsOf = (world: World) => join(world.stateDir, "backups");
const namesIn = (directory: string) => (existsSync(directory) ? readdirSync(directory).toSorted() : []);
const json = async (world: World, argv: readonly string[]) =>
  Object((await succeed(world, [...argv, "--json"])).json);

async function withResults(options = {}): Promise<World> {
  const world = await connected(options);
  await importResults(world, [invite(), invite(), invite()]);
  return world;
}

describe("backup", () => {
  test("writes a private file that is whole, with its sum beside it, and tells how to go back", async () => {
    const world = await withResults();
    const { out } = await succeed(world, ["backup"]);
    const [name = "", sum] = namesIn(backupsOf(world));
    expect(name).toMatch(/^log-\d{8}T\d{6}Z\.backup$/);
    expect(sum).toBe(`${name}.sha256`);
    const file = join(backupsOf(world), name);
    expect(out).toContain("3 events");
    expect(out).toContain(`restore ${file}`);
    for (const path of [file, `${file}.sha256`]) expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(backupsOf(world)).mode & 0o777).toBe(0o700);
    expect(
      execFileSync("sha256sum", ["--check", `${name}.sha256`], { cwd: backupsOf(world), encoding: "utf8" }),
    ).toBe(`${name}: OK\n`);
    const copy = new Database(file, { readonly: true });
    expect(copy.prepare("SELECT count(*) FROM events").pluck().get()).toBe(3);
    expect(copy.pragma("journal_mode", { simple: true })).toBe("delete");
    copy.close();
  });

  test("holds no token and no secret", async () => {
    const world = await withResults();
    const { file } = await json(world, ["backup"]);
    const vault = await world.run(["vault", "status", "--json"]);
    expect(Object(vault.json).items).toBeGreaterThan(2);
    const bytes = readFileSync(file);
    const requests = await world.portal.requests();
    expect(requests.length).toBeGreaterThan(0);
    const secrets = [
      CLIENT_SECRET,
      WEBHOOK_SECRET,
      WEBHOOK_SECRET.slice("whsec_".length),
      "accessToken",
      "refreshToken",
    ];
    for (const secret of secrets) expect(bytes.includes(secret), secret).toBe(false);
    // What is in it would be found so.
    expect(bytes.includes("@example.org")).toBe(true);
  });

  test("list and verify say what is there", async () => {
    const world = await withResults();
    expect((await succeed(world, ["backup", "list"])).out).toBe(`No backup is in ${backupsOf(world)}.\n`);
    expect(await world.run(["backup", "verify"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("no backup is in"),
    });
    const { file, sha256 } = await json(world, ["backup"]);
    const { backups } = await json(world, ["backup", "list"]);
    expect(backups).toMatchObject([{ file, sha256, isChecked: true, counts: { events: 3, invites: 3 } }]);
    expect(await json(world, ["backup", "verify"])).toMatchObject({
      file,
      sha256,
      isWhole: true,
      isCompared: true,
    });
    expect((await succeed(world, ["backup", "verify", file])).out).toContain("is whole");
  });

  test.each([
    ["cut short", (file: string) => truncateSync(file, 20_000), "not whole"],
    [
      "text",
      (file: string) => writeFileSync(file, "no log at all, and long enough to be one".repeat(40)),
      "not whole",
    ],
    ["empty", (file: string) => writeFileSync(file, ""), "no copy of a log"],
    [
      "changed in one row",
      (file: string) => {
        const db = new Database(file);
        db.exec("UPDATE events SET type = 'invite.sent' WHERE seq = 1");
        db.close();
      },
      "is not what it was",
    ],
    [
      "a newer program's",
      (file: string) => {
        const db = new Database(file);
        db.pragma("user_version = 999");
        db.close();
      },
      "newer jc-integrations",
    ],
  ])("verify and restore refuse one that is %s, and change nothing", async (_, spoil, words) => {
    const world = await withResults();
    const { file } = await json(world, ["backup"]);
    spoil(file);
    const before = readFileSync(join(world.stateDir, "log.db"));
    for (const argv of [
      ["backup", "verify", file],
      ["restore", file, "--yes"],
    ])
      expect(await world.run(argv)).toMatchObject({ code: 2, err: expect.stringContaining(words) });
    expect(readFileSync(join(world.stateDir, "log.db")).equals(before)).toBe(true);
    expect(namesIn(world.stateDir).filter((name) => name.includes("restor"))).toEqual([]);
  });

  test.each([
    ["lits", "list"],
    ["verfy", "verify"],
    ["Verify", "verify"],
  ])("a mistyped subcommand becomes no backup: %s", async (typed, meant) => {
    const world = await withResults();
    const before = namesIn(world.dir);
    const { code, out, err } = await world.run(["backup", typed]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(`there is no command backup ${typed}`);
    expect(err).toContain(`Did you mean backup ${meant}?`);
    expect(namesIn(world.dir)).toEqual(before);
    for (const name of [`./${typed}`, `${typed}.backup`, "before-the-upgrade"])
      expect(await json(world, ["backup", name])).toMatchObject({ file: join(world.dir, name) });
  });

  test("is written where the operator says, and never over what is there", async () => {
    const world = await withResults();
    const { file } = await json(world, ["backup", "elsewhere.backup"]);
    expect(file).toBe(join(world.dir, "elsewhere.backup"));
    expect(namesIn(backupsOf(world))).toEqual([]);
    const before = readFileSync(file);
    expect(await world.run(["backup", file])).toMatchObject({
      code: 2,
      err: expect.stringContaining("exists already"),
    });
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(await world.run(["backup", "/nowhere/at/all"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("no directory"),
    });
    expect(await succeed(world, ["backup", "verify", "elsewhere.backup"])).toMatchObject({ code: 0 });
  });

  test.each([
    [
      "a relative path, from the state directory",
      () => "copies",
      (world: World) => join(world.stateDir, "copies"),
    ],
    [
      "an absolute one",
      (world: World) => join(world.dir, "absolute/deep"),
      (world: World) => join(world.dir, "absolute/deep"),
    ],
    [
      "a link to a directory",
      (world: World) => {
        mkdirSync(join(world.dir, "real"));
        symlinkSync(join(world.dir, "real"), join(world.dir, "link"));
        return join(world.dir, "link");
      },
      (world: World) => join(world.dir, "real"),
    ],
    // Another file system than the world's, which rests in memory where it can.
    [
      "on another file system",
      (world: World) => join(import.meta.dirname, `../../node_modules/.cache/${basename(world.dir)}`),
      null,
    ],
  ])("goes into backup.dir: %s", async (_, dirOf, expected) => {
    const world = await withResults();
    const JC_BACKUP_DIR = dirOf(world);
    const run = await world.run(["backup", "--json"], { env: { JC_BACKUP_DIR } });
    expect(run).toMatchObject({ code: 0, err: "" });
    const directory = expected?.(world) ?? JC_BACKUP_DIR;
    expect(namesIn(directory)).toHaveLength(2);
    const status = await world.run(["status", "--json"], { env: { JC_BACKUP_DIR } });
    expect(Object(status.json).backup.lastAt).not.toBeNull();
    if (expected === null) execFileSync("rm", ["-r", directory]);
  });

  test("says so, and leaves nothing, where it cannot write", async () => {
    const world = await withResults();
    writeFileSync(join(world.dir, "file"), "");
    for (const JC_BACKUP_DIR of [join(world.dir, "file"), "/proc/backups", "/sys/backups"]) {
      const run = await world.run(["backup"], { env: { JC_BACKUP_DIR } });
      expect(run).toMatchObject({ code: 2, err: expect.stringContaining("no backup can be written into") });
      expect(run.err).toContain("→ Check backup.dir");
    }
  });

  test("two at once are two", async () => {
    const world = await withResults();
    const runs = await Promise.all([1, 2, 3].map(() => world.run(["backup", "--json"])));
    const written = runs.filter(({ code }) => code === 0).map(({ json }) => Object(json).file);
    expect(new Set(written).size).toBe(written.length);
    // Of one second the newest stays.
    for (const { code, err } of runs) expect([0, 2], err).toContain(code);
    expect(namesIn(backupsOf(world)).filter((name) => name.includes("partial"))).toEqual([]);
    await succeed(world, ["backup", "verify"]);
  });

  test("what a killed one left is removed by the next, what a living one writes is not", async () => {
    const world = await withResults();
    mkdirSync(backupsOf(world), { mode: 0o700 });
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").slice(0, 8);
    const left = (name: string) => join(backupsOf(world), name);
    const dead = [
      left(`log-20200101T000000Z.backup.partial-4194304-${boot}`),
      left(`log-20200101T000000Z.backup.partial-4194304-${boot}-journal`),
      left("log-20200102T000000Z.backup.sha256"),
    ];
    const alive = [
      left(`log-20200101T000000Z.backup.partial-${process.ppid}-${boot}`),
      left("log-20200101T000000Z.backup.partial-4194304-anothers"),
      left("notes.txt"),
    ];
    for (const path of [...dead, ...alive]) writeFileSync(path, "begun");
    utimesSync(dead[2] ?? "", 1, 1);
    await succeed(world, ["backup"]);
    expect(dead.filter(existsSync)).toEqual([]);
    expect(alive.filter(existsSync)).toEqual(alive);
  });

  test("old ones make way once a new one is there; those of another log and from a time to come stay", async () => {
    const clock = fakeClock();
    const world = await connected({ clock, env: { JC_BACKUP_KEEP_DAILY: "2", JC_BACKUP_KEEP_WEEKLY: "0" } });
    await importResults(world, [invite()]);
    const files: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      files.push((await json(world, ["backup"])).file);
      clock.jump(clock.now() + DAY);
    }
    expect(files.map(existsSync)).toEqual([false, true, true]);
    clock.jump(clock.now() + 400 * DAY);
    const { file: ahead } = await json(world, ["backup"]);
    // Two days as far as the clock of then could tell.
    expect([...files, ahead].map(existsSync)).toEqual([false, false, true, true]);
    clock.jump(clock.now() - 400 * DAY);
    const { file: back } = await json(world, ["backup"]);
    expect([ahead, back].map(existsSync)).toEqual([true, true]);
    expect(Object((await world.run(["status", "--json"])).json).backup.file).toBe(back);
  });

  test("one that is longer than it was is marked, counts as none, and the one before it is named", async () => {
    const clock = fakeClock();
    const world = await connected({ clock });
    await importResults(world, [invite()]);
    const { file: good } = await json(world, ["backup"]);
    clock.jump(clock.now() + DAY);
    const { file: bad } = await json(world, ["backup"]);
    appendFileSync(bad, "damage");
    expect((await succeed(world, ["backup", "list"])).out).toContain(
      `${bad} (damaged: it is not as long as it was)`,
    );
    const { backups } = await json(world, ["backup", "list"]);
    expect(backups.map((each: { isAsLong: boolean }) => each.isAsLong)).toEqual([false, true]);
    expect(Object((await world.run(["status", "--json"])).json).backup.file).toBe(good);
    expect(await world.run(["restore", bad, "--yes"])).toMatchObject({ code: 2 });
    expect(await world.run(["backup", "verify", bad])).toMatchObject({
      code: 2,
      err: expect.stringContaining(`restore ${good}`),
    });
    // The line that status prints for a log that cannot be opened.
    writeFileSync(join(world.stateDir, "log.db"), "no log".repeat(1_000));
    const { out, err } = await world.run(["status"]);
    expect(out + err).toContain(good);
    expect(out + err).not.toContain(bad);
  });

  test("of two at once under one name the later one is told to choose another", async () => {
    const world = await withResults();
    const runs = await Promise.all([1, 2, 3].map(() => launch(world, ["backup", `${world.dir}/same`]).ended));
    const refused = runs.filter(({ code }) => code !== 0);
    expect(refused).toHaveLength(2);
    for (const { code, err } of refused) {
      expect(code).toBe(2);
      expect(err).toContain("exists already");
      expect(err).toContain("Choose another name");
    }
  });

  test("needs a log", async () => {
    const world = await connected();
    expect(await world.run(["backup", "--state-dir", join(world.dir, "none")])).toMatchObject({
      code: 2,
      err: expect.stringContaining("no log is in"),
    });
  });

  test("status tells when the last one was, and says so when it is too long ago", async () => {
    const world = await withResults();
    expect((await succeed(world, ["status"])).out).toContain("no backup in backup.dir yet");
    const { file } = await json(world, ["backup"]);
    expect((await succeed(world, ["status"])).out).toContain("last backup just now");
    const old = join(dirname(file), "log-20200101T000000Z.backup");
    execFileSync("sh", ["-c", `mv ${file} ${old} && mv ${file}.sha256 ${old}.sha256`]);
    const { out } = await succeed(world, ["status"]);
    expect(out).toMatch(/! the last good backup of the log is of 2020-01-01 00:00 UTC.*\bbackup$/m);
    execFileSync("rm", [`${old}.sha256`]);
    expect((await json(world, ["status"])).backup).toMatchObject({ lastAt: null, trouble: null });
  });
});
