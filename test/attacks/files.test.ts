/** Links, modes and old rows in the state directory, as somebody leaves them there who can write to it. */
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { createOnce } from "../../src/shared/private-files.ts";
import { temporaryDirectory } from "../directory.ts";
import { launch, launchService, send } from "../end-to-end/program.ts";
import { connected, invite, succeed, until } from "../world.ts";

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
const isRoot = process.getuid?.() === 0;

/** A file of somebody's that the program must leave as it is. */
function victim(): string {
  const path = join(temporaryDirectory(), "victim");
  writeFileSync(path, "");
  chmodSync(path, 0o644);
  return path;
}

describe("a link in the place of", () => {
  test.each([
    ["vault.db", ["secrets", "list"], 5],
    ["vault.db-journal", ["secrets", "list"], 5],
    ["log.db", ["invites", "list"], 2],
    ["log.db-wal", ["invites", "list"], 2],
    ["log.db-shm", ["invites", "list"], 2],
    ["log.db-journal", ["invites", "list"], 2],
  ])("%s is refused in words, and what it leads to stays as it was", async (name, argv, code) => {
    const world = await connected();
    const [path, target] = [join(world.stateDir, name), victim()];
    rmSync(path, { force: true });
    symlinkSync(target, path);
    const ended = await launch(world, argv).ended;
    expect(ended).toMatchObject({ code, err: expect.stringContaining(`${path} is a link`) });
    expect(ended.err).toContain(`ls -l '${path}'`);
    expect([modeOf(target), readFileSync(target, "utf8")]).toEqual(["644", ""]);
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
  });

  test.each(["serve-faults.json", "serve-told.json", "secret-warnings.json.new"])(
    "%s is not followed by a serve, which starts all the same",
    async (name) => {
      const world = await connected();
      const target = victim();
      symlinkSync(target, join(world.stateDir, name));
      const service = await launchService(world);
      service.child.kill("SIGTERM");
      await service.ended;
      expect([modeOf(target), readFileSync(target, "utf8")]).toEqual(["644", ""]);
    },
  );
});

test.skipIf(!isRoot)("a log that another user put into the directory is refused", async () => {
  const world = await connected();
  const path = join(world.stateDir, "log.db");
  chownSync(path, 65534, 65534);
  const { code, err } = await launch(world, ["invites", "list"]).ended;
  expect([code, err]).toEqual([2, expect.stringContaining(`${path} belongs to another user (65534)`)]);
});

test("what is open to others is closed to them when it is next used", async () => {
  const world = await connected();
  const backup = join(world.stateDir, "log.db.v1-2026-11-28T13-21-52-000Z-1.backup");
  writeFileSync(backup, "");
  const files = ["log.db", "vault.db"].map((name) => join(world.stateDir, name));
  for (const path of [backup, ...files]) chmodSync(path, 0o644);
  chmodSync(world.stateDir, 0o755);
  expect(await launch(world, ["status", "--json"]).ended).toMatchObject({ err: "" });
  expect([backup, ...files].map(modeOf)).toEqual(["600", "600", "600"]);
  expect(modeOf(world.stateDir)).toBe("700");
});

test("a directory with others' files in it keeps its mode; status and the journal tell of it", async () => {
  const world = await connected();
  writeFileSync(join(world.stateDir, "notes.txt"), "");
  chmodSync(world.stateDir, 0o755);
  const words = `${world.stateDir} is open to other users (0755): give jc-integrations a directory of its own`;
  expect((await launch(world, ["status"]).ended).out.replaceAll(/\s+/g, " ")).toContain(words);
  const service = await launchService(world);
  await until("the journal tells", () => service.err().includes(words) || service.out().includes(words));
  expect(modeOf(world.stateDir)).toBe("755");
  chmodSync(world.stateDir, 0o700);
  expect((await launch(world, ["status"]).ended).out).not.toContain("open to other users");
});

test("no new installation begins where others write; one that is there goes on, and is told of", async () => {
  const world = await connected();
  chmodSync(world.stateDir, 0o777);
  writeFileSync(join(world.stateDir, "notes.txt"), "");
  const { code, out } = await launch(world, ["status"]).ended;
  expect([code, out]).toEqual([0, expect.stringContaining("(0777)")]);
  const open = join(temporaryDirectory(), "open");
  mkdirSync(open);
  chmodSync(open, 0o777);
  const setting = launch(world, ["secrets", "set", "hubspot.client-secret", "--state-dir", open]);
  setting.child.stdin?.end("a secret");
  const ended = await setting.ended;
  expect(ended).toMatchObject({
    code: 5,
    err: expect.stringContaining(`${open} can be changed by other users`),
  });
  expect(existsSync(join(open, "vault.db"))).toBe(false);
});

test("a lock that this process has on a database outlives that the file is asked for again", async () => {
  const path = join(temporaryDirectory(), "a.db");
  createOnce(path);
  const db = new Database(path);
  db.exec("begin exclusive");
  createOnce(path);
  const other = `const D = require("better-sqlite3"); new D(process.argv[1], { timeout: 0 }).exec("begin exclusive")`;
  const { createRunner } = await import("../../src/systemd/runner.ts");
  const { code, err } = await createRunner(process.env).run(process.execPath, ["-e", other, path]);
  db.close();
  expect([code, err]).toEqual([1, expect.stringContaining("database is locked")]);
});

test("a webhook secret that was removed verifies nothing when its old row is put back", async () => {
  const world = await connected();
  const [path, service] = [join(world.stateDir, "vault.db"), await launchService(world)];
  expect(await send(service.url, invite({ invitation_id: "inv_1" }))).toMatchObject({ status: 202 });
  const old = rowOf(path);
  await succeed(
    world,
    ["secrets", "set", "jobcannon.webhook-secret"],
    "whsec_bmV3LXNlY3JldC1vZi1zdWZmaWNpZW50LWxlbmd0aA==",
  );
  await succeed(world, ["secrets", "remove", "jobcannon.webhook-secret", "--number", "1", "--yes"]);
  await until("the old secret is refused", async () => (await answer(service.url, "a")) === 401);
  const db = new Database(path);
  db.prepare("insert or replace into item (name, sealed) values (?, ?)").run(old.name, old.sealed);
  db.exec("update choice set revision = revision + 1");
  db.close();
  expect(await answer(service.url, "b")).not.toBe(202);
  service.child.kill("SIGTERM");
  await service.ended;
  const again = await launchService(world);
  expect(await answer(again.url, "c")).not.toBe(202);
  expect((await launch(world, ["invites", "list", "--json"]).ended).out).not.toMatch(/inv_[bc]"/);
});

async function answer(url: string, id: string): Promise<number | undefined> {
  return (await send(url, invite({ invitation_id: `inv_${id}` }), { id: `${id}-${Math.random()}` }))?.status;
}

function rowOf(path: string): { name: string; sealed: Buffer } {
  const db = new Database(path, { readonly: true });
  const row = db
    .prepare<[], { name: string; sealed: Buffer }>(
      "select name, sealed from item where name like '%/jobcannon.webhook-secret/1'",
    )
    .get();
  db.close();
  if (!row) throw new Error("the vault holds no webhook secret");
  return row;
}
