/** Restore drills: the built program, a log that is lost in many ways, and what comes back. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  linkSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
  closeSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { dist } from "../built.ts";
import { fakeClock } from "../fake-clock.ts";
import { children } from "../store/child.ts";
import { connected, importResults, invite, type InviteEvent, succeed, until, type World } from "../world.ts";
import { allDelivered, launch, launchService, send, type Service } from "./program.ts";

const startChild = children();
const logOf = (world: World) => join(world.stateDir, "log.db");
const json = async (world: World, argv: readonly string[]) =>
  Object((await succeed(world, [...argv, "--json"])).json);
const emailOf = (event: InviteEvent) => event.data.candidate.email;

function idsIn(path: string): Set<unknown> {
  const db = new Database(path, { readonly: true });
  try {
    expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
    return new Set(db.prepare("SELECT event_id FROM events").pluck().all());
  } finally {
    db.close();
  }
}

async function stop(service: Service): Promise<void> {
  service.child.kill("SIGTERM");
  expect((await service.ended).code).toBe(0);
}

const asideIn = (world: World) =>
  readdirSync(world.stateDir).filter((name) => name.startsWith("log.db.before-restore"));

describe("a backup under load, the log destroyed, the backup restored", () => {
  test("what was acknowledged before it is there, what the old log held after it too, and all goes out", async () => {
    const world = await connected();
    const service = await launchService(world);
    const acknowledged: string[] = [];
    const end = new AbortController();
    const senders = Array.from({ length: 6 }, async (_, sender) => {
      for (let n = 0; !end.signal.aborted; n += 1) {
        const id = `msg_${sender}_${n}`;
        if ((await send(service.url, invite(), { id }))?.status === 202) acknowledged.push(id);
      }
    });
    await until("much is acknowledged", () => acknowledged.length > 300);
    const before = [...acknowledged];
    const backup = launch(world, ["backup", "--json"]);
    const taken = await backup.ended;
    expect(taken).toMatchObject({ code: 0 });
    const { file, counts } = JSON.parse(taken.out);
    expect(counts.events).toBeGreaterThanOrEqual(before.length);
    expect(before.filter((id) => !idsIn(file).has(id))).toEqual([]);
    await until("more is acknowledged", () => acknowledged.length > before.length + 200);
    end.abort();
    await Promise.all(senders);
    service.child.kill("SIGKILL");
    await service.ended;
    // Its events can still be read; what finds them cannot.
    spoilTable(world, "invites");
    const restored = await json(world, ["restore", file, "--yes"]);
    expect(restored).toMatchObject({ old: "damaged" });
    expect(acknowledged.filter((id) => !idsIn(logOf(world)).has(id))).toEqual([]);
    const again = await launchService(world);
    await allDelivered(world);
    expect(Object.keys(await world.portal.contacts()).length).toBe(acknowledged.length);
    await stop(again);
  });

  test("what was undelivered goes out once, what the old log had delivered does not again", async () => {
    const world = await connected();
    await importResults(world, [invite(), invite()]);
    await succeed(world, ["run", "retry"]);
    const { file } = await json(world, ["backup"]);
    const [delivered, waiting] = [invite(), invite()];
    await importResults(world, [delivered]);
    await succeed(world, ["run", "retry"]);
    await importResults(world, [waiting]);
    const calls = (await world.portal.upserts()).length;
    const LEFT =
      "1 attempt since the backup is not taken over: logs does not show what went out in that time.";
    expect((await succeed(world, ["restore", file, "--dry-run"])).out).toContain(`\n${LEFT}\n`);
    const attempts = async () => (await json(world, ["logs"])).attempts.length;
    expect(await attempts()).toBe(3);
    const report = await json(world, ["restore", file, "--yes"]);
    expect(report).toMatchObject({
      old: "whole",
      events: 2,
      refused: 0,
      unreadable: 0,
      due: 1,
      attemptsLeft: 1,
    });
    expect(await attempts()).toBe(2);
    await succeed(world, ["run", "retry"]);
    expect(await world.portal.upserts()).toHaveLength(calls + 1);
    expect(await world.portal.contacts()).toHaveProperty([emailOf(waiting)]);
    expect(await json(world, ["status"])).toMatchObject({
      pushes: { pending: 0, delivered: 4 },
      storage: [],
    });
  });

  test("a log that is gone for good is the backup's, told so, and taken for the own one by a vault that notes a connection", async () => {
    const world = await connected();
    const first = invite();
    await importResults(world, [first]);
    const { file } = await json(world, ["backup"]);
    await importResults(world, [invite()]);
    execFileSync("sh", ["-c", "rm log.db*"], { cwd: world.stateDir });
    expect(await world.run(["status"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("restore <backup>"),
    });
    const run = await world.run(["restore", file, "--yes"]);
    expect(run).toMatchObject({ code: 0, err: expect.stringContaining("No old log is there") });
    expect(run.out).toContain("1 result is due");
    expect(run.out).toContain("Attempts since the backup are not taken over");
    const service = await launchService(world);
    await allDelivered(world);
    expect(Object.keys(await world.portal.contacts())).toEqual([emailOf(first)]);
    expect((await send(service.url, invite()))?.status).toBe(202);
    await stop(service);
  });

  test.each([
    ["its head is gone", (log: string) => overwrite(log, 0, 100)],
    ["it is another program's", (log: string) => writeFileSync(log, randomBytes(50_000))],
  ])("one of which nothing can be read is kept and said: %s", async (_, spoil) => {
    const world = await connected();
    await importResults(world, [invite()]);
    const { file } = await json(world, ["backup"]);
    await importResults(world, [invite()]);
    spoil(logOf(world));
    const run = await world.run(["restore", file, "--yes"]);
    expect(run).toMatchObject({ code: 0, err: expect.stringContaining("The old log cannot be read") });
    expect(asideIn(world)).toHaveLength(1);
    expect(idsIn(logOf(world)).size).toBe(1);
  });

  test("of one whose events are damaged in part the others come, and the lost ones are counted", async () => {
    const world = await connected();
    await importResults(world, [invite()]);
    const { file } = await json(world, ["backup"]);
    await importResults(
      world,
      Array.from({ length: 200 }, () => invite()),
    );
    const db = new Database(logOf(world));
    db.pragma("wal_checkpoint(TRUNCATE)");
    const pages = db
      .prepare<[], { pageno: number }>(
        "SELECT pageno FROM dbstat WHERE name = 'events' AND pagetype = 'leaf' ORDER BY pageno",
      )
      .all();
    db.close();
    const [page] = pages.slice(Math.floor(pages.length / 2));
    overwrite(logOf(world), ((page?.pageno ?? 0) - 1) * 4_096, 4_096);
    const plan = await json(world, ["restore", file, "--dry-run"]);
    const report = await json(world, ["restore", file, "--yes"]);
    expect(report).toMatchObject({ old: "damaged", refused: 0 });
    expect(report.unreadable).toBeGreaterThan(0);
    expect(report.events + report.unreadable).toBe(200);
    expect(report).toMatchObject({ isUnreadableKnown: true });
    const { events, unreadable } = report;
    expect(plan.missing).toEqual({ events, unreadable, isUnreadableKnown: true });
    expect(idsIn(logOf(world)).size).toBe(1 + report.events);
  });

  test.each([
    ["root pages alone", "SELECT rootpage FROM sqlite_schema WHERE name IN ('events', 'events_identity')"],
    ["all pages", "SELECT pageno FROM dbstat WHERE name IN ('events', 'events_identity')"],
  ])(
    "of one whose events and their index are both unreadable nobody can tell how many are lost: %s",
    async (_, pagesOf) => {
      const world = await connected();
      await importResults(world, [invite()]);
      const { file } = await json(world, ["backup"]);
      await importResults(
        world,
        Array.from({ length: 200 }, () => invite()),
      );
      spoilPages(world, pagesOf);
      const plan = await launch(world, ["restore", file, "--dry-run"]).ended;
      expect(plan).toMatchObject({
        code: 0,
        out: expect.stringMatching(
          /The old log is damaged .*; events, nobody can tell how many, cannot be read\./,
        ),
      });
      expect((await json(world, ["restore", file, "--dry-run"])).missing).toEqual({
        events: 0,
        unreadable: 1,
        isUnreadableKnown: false,
      });
      const { code, out, err } = await launch(world, ["restore", file, "--yes"]).ended;
      expect({ code, out, err }).toEqual({
        code: 0,
        out: expect.stringMatching(
          /0 events of the old log came after it.*came along: events, nobody can tell how many, could not be read\..*\n1 result is due/s,
        ),
        err: expect.stringMatching(/The old log is damaged .* cannot be read/),
      });
      expect(asideIn(world)).toHaveLength(1);
      expect(idsIn(logOf(world)).size).toBe(1);
      // Of the others nothing is left that could be told.
      expect(await json(world, ["status"])).toMatchObject({ pushes: { pending: 1 } });
    },
  );
});

describe("restore", () => {
  test("asks first, changes nothing for a no, a dry run or a backup that is not there", async () => {
    const world = await connected();
    await importResults(world, [invite()]);
    const { file } = await json(world, ["backup"]);
    const before = statSync(logOf(world)).ino;
    expect(await world.run(["restore", file])).toMatchObject({
      code: 2,
      err: expect.stringContaining("needs a yes"),
    });
    expect((await succeed(world, ["restore", file, "--dry-run"])).out).toContain(
      "0 events that the backup lacks are taken over",
    );
    expect(await world.run(["restore", "/nowhere/log.backup", "--yes"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("cannot be read"),
    });
    expect(await world.run(["restore", logOf(world), "--yes"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("the log itself"),
    });
    expect(statSync(logOf(world)).ino).toBe(before);
    expect(asideIn(world)).toEqual([]);
  });

  test("says how many invites stay removed, since retention had removed them", async () => {
    const clock = fakeClock();
    const world = await connected({ clock });
    await importResults(world, [invite(), invite()]);
    await succeed(world, ["replay", "--status", "pending", "--yes"]);
    const { file } = await json(world, ["backup"]);
    expect((await succeed(world, ["restore", file, "--dry-run"])).out).not.toContain("removed");
    clock.jump(clock.now() + 200 * 24 * 3_600_000);
    await succeed(world, ["run", "retention"]);
    const dry = (await succeed(world, ["restore", file, "--dry-run"])).out;
    expect(dry).toContain("2 invites of it stay removed: retention had removed them since.");
    expect(await json(world, ["restore", file, "--yes"])).toMatchObject({ staysRemoved: 2 });
    const db = new Database(logOf(world), { readonly: true });
    expect(db.prepare("SELECT count(*) FROM invites").pluck().get()).toBe(0);
    db.close();
  });

  test("refuses while a service lives on the log, also on one that it has lost, and while any process holds it", async () => {
    const world = await connected();
    await importResults(world, [invite()]);
    const { file } = await json(world, ["backup"]);
    const service = await launchService(world);
    const refused = async () => {
      const run = await world.run(["restore", file, "--yes"]);
      expect(run).toMatchObject({ code: 2, err: expect.stringContaining("in use by") });
      expect(run.err).toContain("or stop the service, then run it again");
    };
    await refused();
    expect((await send(service.url, invite()))?.status).toBe(202);
    const kept = join(world.dir, "kept");
    renameSync(logOf(world), kept);
    await until("it is noticed", async () => (await send(service.url, invite()))?.status === 503);
    await refused();
    renameSync(kept, logOf(world));
    await until("it is back", async () => (await send(service.url, invite()))?.status === 202);
    await stop(service);
    const reader = startChild("reader", [world.stateDir]);
    await reader.next();
    await refused();
    await reader.kill();
    await succeed(world, ["restore", file, "--yes"]);
  });

  test("tokens stay as they are: a login made after the backup delivers", async () => {
    const world = await connected();
    await importResults(world, [invite()]);
    const { file } = await json(world, ["backup"]);
    await succeed(world, ["disconnect", "hubspot", "--yes"]);
    await succeed(world, ["connect", "hubspot", "--yes"]);
    const late = invite();
    await importResults(world, [late]);
    await succeed(world, ["restore", file, "--yes"]);
    await succeed(world, ["run", "retry"]);
    expect(await world.portal.contacts()).toHaveProperty([emailOf(late)]);
    expect(await json(world, ["status"])).toMatchObject({
      connections: [{ state: "connected" }],
      pushes: { pending: 0 },
    });
  });

  test("a disconnect made after the backup stays one", async () => {
    const world = await connected();
    const { file } = await json(world, ["backup"]);
    await succeed(world, ["disconnect", "hubspot", "--yes"]);
    await succeed(world, ["restore", file, "--yes"]);
    expect(await json(world, ["status"])).toMatchObject({ connections: [{ state: "not_connected" }] });
  });

  test("the log that was set aside can take its place again", async () => {
    const world = await connected();
    await importResults(world, [invite()]);
    const { file } = await json(world, ["backup"]);
    await importResults(world, [invite()]);
    const { aside } = await json(world, ["restore", file, "--yes"]);
    const back = await json(world, ["restore", join(aside, "log.db"), "--yes"]);
    expect(back.counts.events).toBe(2);
    expect(idsIn(logOf(world)).size).toBe(2);
    expect(asideIn(world)).toHaveLength(2);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "killed after its step %i, it is done by typing it again",
    async (steps) => {
      const world = await connected();
      await importResults(world, [invite()]);
      const { file } = await json(world, ["backup"]);
      await importResults(world, [invite(), invite()]);
      const ids = idsIn(logOf(world));
      const thread = fileURLToPath(new URL("backup-thread.js", dist()));
      const child = startChild("restorer", [world.stateDir, file, String(steps), thread]);
      for (let n = 0; n < steps; n += 1) await child.next();
      await child.kill();
      const isOver = steps === 8;
      const between = await world.run(["run", "retry"]);
      if (isOver) expect(between).toMatchObject({ code: 0 });
      else expect(between).toMatchObject({ code: 2, err: expect.stringContaining("run it again") });
      await succeed(world, ["restore", file, "--yes"]);
      expect(idsIn(logOf(world))).toEqual(ids);
      expect(asideIn(world).length).toBeGreaterThan(0);
      expect(existsSync(`${logOf(world)}.restoring`) || existsSync(`${logOf(world)}.restored`)).toBe(false);
      await succeed(world, ["run", "retry"]);
      expect(Object.keys(await world.portal.contacts())).toHaveLength(3);
    },
  );
});

test("of two restores at once the second is refused, and harms nothing", async () => {
  const world = await connected();
  await importResults(world, [invite()]);
  const { file } = await json(world, ["backup"]);
  const marker = `${logOf(world)}.restoring`;
  const markedBy = (pid: number, startedAt: string) => {
    const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const text = JSON.stringify({
      by: { pid, startedAt, bootId },
      backup: file,
      aside: "log.db.before-restore-1",
    });
    writeFileSync(marker, text);
    return text;
  };
  const stat = readFileSync(`/proc/${process.ppid}/stat`, "utf8");
  const text = markedBy(process.ppid, stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "");
  const run = await world.run(["restore", file, "--yes"]);
  expect(run).toMatchObject({ code: 2, err: expect.stringContaining("another restore is under way") });
  expect(readFileSync(marker, "utf8")).toBe(text);
  markedBy(4_194_304, "1");
  await succeed(world, ["restore", file, "--yes"]);
  expect(asideIn(world)).toEqual(["log.db.before-restore-1"]);
});

test("a restore that was killed between the new log's link and its end overwrites no old log", async () => {
  const world = await connected();
  await importResults(world, [invite()]);
  const { file } = await json(world, ["backup"]);
  await importResults(world, [invite()]);
  const thread = fileURLToPath(new URL("backup-thread.js", dist()));
  const child = startChild("restorer", [world.stateDir, file, "6", thread]);
  for (let n = 0; n < 6; n += 1) await child.next();
  await child.kill();
  linkSync(join(world.stateDir, "log.db.restored/log.db"), logOf(world));
  expect(await world.run(["store", "new-log", "--yes"])).toMatchObject({ code: 2 });
  await succeed(world, ["restore", file, "--yes"]);
  const [aside = ""] = asideIn(world).toSorted();
  expect(idsIn(join(world.stateDir, aside, "log.db")).size).toBe(2);
  expect(idsIn(logOf(world)).size).toBe(2);
});

describe("an old copy of the vault beside the log", () => {
  test("its spent refresh token is told as what it is", async () => {
    const world = await connected();
    await world.portal.settings({ oneUseTokens: true, accessTokenSeconds: 1 });
    await succeed(world, ["connect", "hubspot", "--yes"]);
    const [vault, copy] = [join(world.stateDir, "vault.db"), join(world.dir, "vault.copy")];
    copyFileSync(vault, copy);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await world.portal.settings({ accessTokenSeconds: 3_600 });
    await succeed(world, ["run", "refresh"]);
    copyFileSync(copy, vault);
    await importResults(world, [invite()]);
    const run = await world.run(["run", "refresh"]);
    expect(run.code).toBe(4);
    const { out } = await world.run(["status"]);
    expect(out).toContain("must reconnect");
    expect(out.replaceAll(/\s+/g, " ")).toContain("its refresh token was spent since that copy was made");
    await succeed(world, ["connect", "hubspot", "--yes"]);
    await succeed(world, ["run", "retry"]);
    expect(Object.keys(await world.portal.contacts())).toHaveLength(1);
  });
});

function spoilTable(world: World, table: string): void {
  spoilPages(world, `SELECT rootpage FROM sqlite_schema WHERE name = '${table}'`);
}

/** `pagesOf`: SQL for the numbers of pages that are written over. */
function spoilPages(world: World, pagesOf: string): void {
  const db = new Database(logOf(world));
  db.pragma("wal_checkpoint(TRUNCATE)");
  const pages = db.prepare<[], number>(pagesOf).pluck().all();
  db.close();
  expect(pages.length).toBeGreaterThan(0);
  for (const page of pages) overwrite(logOf(world), (page - 1) * 4_096, 4_096);
}

function overwrite(path: string, at: number, bytes: number): void {
  const file = openSync(path, "r+");
  writeSync(file, randomBytes(bytes), 0, bytes, at);
  closeSync(file);
}
