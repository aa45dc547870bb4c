/** The built `serve` while its log's files are removed, moved, replaced or written over, and afterwards. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import type { Environment } from "../../src/shared/config.ts";
import { backUp } from "../../src/store/sqlite/file/backup.ts";
import { leastOf, msOf } from "../least.ts";
import { removeTree } from "../directory.ts";
import { connected, freePort, freshWorld, invite, until, type World } from "../world.ts";
import { BIN, launchService, send, type Service } from "./program.ts";

/** A service that has acknowledged events, in a state directory of a world. */
interface Scene {
  world: World;
  service: Service;
  /** Ids of the webhooks that were acknowledged. */
  acknowledged: string[];
  /** Sends one webhook and notes it when it is acknowledged. */
  send(): Promise<number | undefined>;
  /** In a shell, in the state directory. */
  shell(command: string): void;
}

let sent = 0;

async function scene(env: Environment = {}): Promise<Scene> {
  const world = await connected({ env });
  const it = await sceneOf(world, await launchService(world));
  for (let n = 0; n < 20; n += 1) expect(await it.send()).toBe(202);
  return it;
}

async function sceneOf(world: World, service: Service): Promise<Scene> {
  const acknowledged: string[] = [];
  return {
    world,
    service,
    acknowledged,
    send: async () => {
      sent += 1;
      const id = `msg_lost_${sent}`;
      const answer = await send(service.url, invite(), { id });
      if (answer?.status === 202) acknowledged.push(id);
      return answer?.status;
    },
    shell: (command) => void execFileSync("sh", ["-ec", command], { cwd: world.stateDir }),
  };
}

async function readiness({ service }: Scene): Promise<[number, string]> {
  const answer = await fetch(`${service.url}/readyz`);
  return [answer.status, Object(await answer.json()).status];
}

/** What everybody must hear while the log is lost. */
async function expectRefusals(it: Scene): Promise<void> {
  expect(await it.send()).toBe(503);
  expect(await readiness(it)).toEqual([503, "storage"]);
  const { code, out } = await it.world.run(["status"]);
  expect(code).toBe(2);
  expect(out).toContain("serve runs on another file");
  expect(it.service.child.exitCode).toBeNull();
  await expectToldOnce(it);
}

const tellings = ({ service }: Scene) =>
  service
    .err()
    .split("\n")
    .filter((line) => line.includes("the store refuses webhooks and deliveries"));

async function expectToldOnce(it: Scene): Promise<void> {
  await until("the journal tells", () => tellings(it).length > 0);
  expect(tellings(it)).toHaveLength(1);
}

async function expectAllGoesOn(it: Scene): Promise<void> {
  await until("webhooks are taken again", async () => (await it.send()) === 202);
  // A call that was under way may still say what it met, and the service enters itself into the log anew.
  await until("it is ready", async () => String(await readiness(it)) === "200,ready");
  const status = await until("status knows the service", async () => {
    const { code, json } = await it.world.run(["status", "--json"]);
    const { service, storage } = Object(json);
    return service === "running" && storage.length === 0 ? { code, json } : null;
  });
  expect(status.code).toBe(0);
}

async function stop({ service }: Scene): Promise<number | null> {
  service.child.kill("SIGTERM");
  return (await service.ended).code;
}

function missingIn({ world, acknowledged }: Scene): string[] {
  const db = new Database(join(world.stateDir, "log.db"), { readonly: true });
  const stored = new Set(db.prepare("SELECT event_id FROM events").pluck().all());
  expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
  db.close();
  return acknowledged.filter((id) => !stored.has(id));
}

describe("a log that is moved away and comes back", () => {
  test.each([
    [
      "its three files are moved",
      "mkdir ../aside && mv log.db log.db-wal log.db-shm ../aside/",
      "mv ../aside/* .",
    ],
    ["the log alone is moved", "mv log.db ../log.db", "mv ../log.db ."],
    [
      "another file is moved over it, and it over that",
      "cp log.db ../x && ln log.db ../own && mv ../x log.db",
      "mv ../own log.db",
    ],
    [
      "a directory stands in its place",
      "mv log.db ../log.db && mkdir log.db",
      "rmdir log.db && mv ../log.db .",
    ],
    [
      "a symbolic link stands in its place",
      "mv log.db ../log.db && ln -s ../log.db log.db",
      "rm log.db && mv ../log.db .",
    ],
  ])("%s", async (_, fault, repair) => {
    const it = await scene();
    it.shell(fault);
    await expectRefusals(it);
    it.shell(repair);
    await expectAllGoesOn(it);
    expect(await stop(it)).toBe(0);
    expect(missingIn(it)).toEqual([]);
  });
});

describe("a log that serve mends by itself", () => {
  test.each([
    ["its -wal is removed", "rm log.db-wal"],
    ["its -shm is removed", "rm log.db-shm"],
    ["both are removed", "rm log.db-wal log.db-shm"],
    ["an empty file is put in the place of its -wal", "touch ../w && mv ../w log.db-wal"],
    ["it is touched, and nothing else", "touch log.db"],
  ])("%s", async (_, fault) => {
    const it = await scene();
    it.shell(fault);
    await until("serve mends it", () => it.service.err().includes("the log is back"));
    await expectAllGoesOn(it);
    await expectToldOnce(it);
    expect(await stop(it)).toBe(0);
    expect(missingIn(it)).toEqual([]);
  });

  test.each([
    ["a hard link to it is made", "ln log.db ../link && ln log.db-wal ../link-wal"],
    ["its mode is changed and changed back", "chmod 400 log.db log.db-wal && chmod 600 log.db log.db-wal"],
    ["it is copied", "cp log.db log.db-wal ../"],
    ["another file comes into its directory", "echo 1 > log.db.other"],
  ])("nothing happens when %s", async (_, deed) => {
    const it = await scene();
    it.shell(deed);
    for (let n = 0; n < 25; n += 1) {
      expect(await it.send()).toBe(202);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(tellings(it)).toEqual([]);
    expect(await stop(it)).toBe(0);
    expect(missingIn(it)).toEqual([]);
  });
});

describe("a log that is gone for good", () => {
  const newLog = async (it: Scene) => {
    const accepted = await it.world.run(["store", "new-log", "--yes", "--json"]);
    expect(accepted).toMatchObject({ code: 0, err: "" });
    it.acknowledged.length = 0;
    return Object(accepted.json).log;
  };

  test.each([
    ["its files are removed", "rm log.db*", "created"],
    ["the log alone is removed", "rm log.db", "created"],
    ["it is emptied", ": > log.db", "created"],
    ["another log is copied over it", "cp ../other/log.db log.db", "accepted"],
    ["another log is moved over it", "mv ../other/log.db log.db", "accepted"],
  ])(
    "is no log until an operator begins a new one, or accepts the one there: %s",
    async (_, fault, outcome) => {
      const it = await scene();
      await it.world.run(["--state-dir", join(it.world.dir, "other"), "run", "retry"]);
      it.shell(fault);
      await expectRefusals(it);
      // Nothing is taken for a log by waiting, nor made one by a command that writes.
      expect(await it.world.run(["run", "retry"])).toMatchObject({ code: 2 });
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      await expectRefusals(it);
      expect(await newLog(it)).toBe(outcome);
      await expectAllGoesOn(it);
      expect(await stop(it)).toBe(0);
      expect(missingIn(it)).toEqual([]);
    },
  );

  test("its directory is removed, or moved away: status asks the service, and all goes on when it is back", async () => {
    const it = await scene({ JC_SERVE_LISTEN: `127.0.0.1:${await freePort()}` });
    const elsewhere = join(it.world.dir, "elsewhere");
    renameSync(it.world.stateDir, elsewhere);
    await expectRefusals(it);
    renameSync(elsewhere, it.world.stateDir);
    await expectAllGoesOn(it);
    removeTree(it.world.stateDir);
    expect(await it.send()).toBe(503);
    expect((await it.world.run(["status"])).out).toContain("serve runs on another file");
    expect(await newLog(it)).toBe("created");
    await until("webhooks are taken again", async () => (await it.send()) === 202);
    expect(await stop(it)).toBe(0);
    expect(missingIn(it)).toEqual([]);
  });

  test("a new log is not begun while the one there is in use", async () => {
    const it = await scene();
    expect(await newLog(it)).toBe("unchanged");
    expect(await it.send()).toBe(202);
  });
});

describe("a log that was written over", () => {
  test.each([
    ["its head is cut off", "dd if=/dev/zero of=log.db bs=4096 count=4 conv=notrunc 2>&1"],
    [
      "a page in its middle is overwritten",
      "dd if=/dev/urandom of=log.db bs=4096 seek=9 count=2 conv=notrunc 2>&1",
    ],
    ["it is cut short", "truncate -s 20000 log.db"],
    ["it is text", "echo 'no database' > log.db"],
  ])("goes on with a backup that is restored as the message says: %s", async (_, fault) => {
    const it = await scene();
    const log = join(it.world.stateDir, "log.db");
    const live = new Database(log);
    backUp(live, `${log}.v9-2999-11-28T00-00-00-000Z-1.backup`);
    live.close();
    const kept = [...it.acknowledged];
    expect(await it.send()).toBe(202);
    // What is still in the -wal would hide the fault.
    const sqlite = new Database(log);
    sqlite.pragma("wal_checkpoint(TRUNCATE)");
    sqlite.close();
    it.shell(fault);
    expect(await it.send()).toBe(503);
    expect(await readiness(it)).toEqual([503, "storage"]);
    const hint = await until("the hint names the commands", async () => {
      const { code, json } = await it.world.run(["status", "--json"]);
      const [fault] = Object(json).storage;
      return code === 2 && fault.hint.startsWith("jc-integrations restore ") ? String(fault.hint) : null;
    });
    // With serve there it says what to stop, and changes nothing.
    const restore = [...hint.split(" ").slice(1), "--yes"];
    expect(await it.world.run(restore)).toMatchObject({
      code: 2,
      err: expect.stringContaining("a backup cannot take its place"),
    });
    expect(await stop(it)).toBe(0);
    expect(await it.world.run(restore)).toMatchObject({ code: 0 });
    const again = await sceneOf(it.world, await launchService(it.world));
    again.acknowledged.push(...kept);
    await expectAllGoesOn(again);
    expect(await stop(again)).toBe(0);
    expect(missingIn(again)).toEqual([]);
  });
});

describe("a backup that is put in the place of a log in use", () => {
  test.each([
    ["copied over it", "cp ../backup log.db"],
    ["moved over it", "mv ../backup log.db"],
    ["copied over it by its name, without the -wal", "rm log.db-wal && cp ../backup log.db"],
  ])("is noticed and taken up, and nothing of the old -wal gets into it: %s", async (_, deed) => {
    const it = await scene();
    const live = new Database(join(it.world.stateDir, "log.db"));
    backUp(live, join(it.world.dir, "backup"));
    live.close();
    const kept = [...it.acknowledged];
    expect(await it.send()).toBe(202);
    it.shell(deed);
    expect(await it.send()).toBe(503);
    expect(await readiness(it)).toEqual([503, "storage"]);
    it.acknowledged.length = 0;
    await expectAllGoesOn(it);
    await expectToldOnce(it);
    expect(await stop(it)).toBe(0);
    it.acknowledged.push(...kept);
    expect(missingIn(it)).toEqual([]);
  });
});

describe("a log that is missing before anything runs, although an account was connected", () => {
  test.each([
    ["it was removed", "rm log.db*"],
    ["it is empty", "rm log.db* && touch log.db"],
    ["it is a database without tables", "cp ../empty.db log.db && rm -f log.db-wal log.db-shm"],
    ["only its -wal is there", "rm -f log.db*; head -c 50000 /dev/urandom > log.db-wal"],
  ])("is not taken for a new one by a command, nor by serve, until one is begun: %s", async (_, fault) => {
    const world = await connected();
    const empty = new Database(join(world.dir, "empty.db"));
    empty.exec("CREATE TABLE t (x); DROP TABLE t");
    empty.close();
    execFileSync("sh", ["-c", fault], { cwd: world.stateDir });
    for (const argv of [["run", "retry"], ["logs"], ["invites", "list"], ["status"]])
      expect(await world.run(argv)).toMatchObject({ code: 2, err: expect.stringContaining("store new-log") });
    const service = await launchService(world);
    const it = await sceneOf(world, service);
    expect(await it.send()).toBe(503);
    expect(await readiness(it)).toEqual([503, "storage"]);
    await expectToldOnce(it);
    expect(await world.run(["store", "new-log", "--yes"])).toMatchObject({ code: 0 });
    await expectAllGoesOn(it);
    expect(await stop(it)).toBe(0);
    expect(missingIn(it)).toEqual([]);
  });

  test("a first start makes its log", async () => {
    const world = await freshWorld();
    expect(await world.run(["status"])).toMatchObject({ code: 0 });
    const it = await sceneOf(world, await launchService(world));
    expect(await readiness(it)).toEqual([200, "ready"]);
    expect(await stop(it)).toBe(0);
  });
});

describe("a damaged log with an old -wal beside it", () => {
  test.each([
    ["with a backup", true],
    ["without one", false],
  ])("is mended by the commands that status prints: %s", async (_, hasBackup) => {
    const world = await connected();
    const it = await sceneOf(world, await launchService(world));
    for (let n = 0; n < 5; n += 1) await it.send();
    const log = join(world.stateDir, "log.db");
    if (hasBackup) {
      const live = new Database(log);
      backUp(live, `${log}.v9-2999-11-28T00-00-00-000Z-1.backup`);
      live.close();
    }
    it.service.child.kill("SIGKILL");
    await it.service.ended;
    // Of the same log, as a naive restore leaves it.
    writeFileSync(log, randomBytes(8_192));
    const { json } = await world.run(["status", "--json"]);
    const hint = String(Object(json).storage[0].hint);
    const PATH = `${world.dir}:${process.env.PATH}`;
    const shim = `#!/bin/sh\nexec "${process.execPath}" "${BIN}" "$@"\n`;
    writeFileSync(join(world.dir, "jc-integrations"), shim, { mode: 0o755 });
    execFileSync("sh", ["-ec", hint.endsWith("--yes") ? hint : `${hint} --yes`], {
      env: { ...world.env, PATH },
      stdio: "pipe",
    });
    expect(await world.run(["status"])).toMatchObject({ code: 0 });
    const again = await sceneOf(world, await launchService(world));
    expect(await again.send()).toBe(202);
    expect(await stop(again)).toBe(0);
    if (hasBackup) expect(missingIn(it)).toEqual([]);
  });

  test("a damaged table is told by /readyz and status soon after the start, and refuses events", async () => {
    const world = await connected();
    const log = join(world.stateDir, "log.db");
    const db = new Database(log);
    db.pragma("wal_checkpoint(TRUNCATE)");
    const page = Number(
      db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'invites'").pluck().get(),
    );
    db.close();
    execFileSync(
      "dd",
      ["if=/dev/urandom", `of=${log}`, "bs=4096", `seek=${page - 1}`, "count=1", "conv=notrunc"],
      {
        stdio: "pipe",
      },
    );
    const it = await sceneOf(world, await launchService(world));
    await until("it is found", async () => (await readiness(it))[0] === 503);
    expect(await it.send()).toBe(503);
    const { code, out, err } = await world.run(["status"]);
    expect(code).toBe(2);
    expect(out).toMatch(/is damaged/);
    expect(err).toMatch(/is damaged.*\n +→ (cd|jc-integrations restore) /);
    await expectToldOnce(it);
    expect(await stop(it)).toBe(0);
  });
});

describe("a log that another process keeps locked", () => {
  test("each sender hears 503 with Retry-After within three seconds, and is taken once it is free", async () => {
    const it = await scene();
    const longestMs = async () => {
      const locker = new Database(join(it.world.stateDir, "log.db"));
      locker.exec("BEGIN IMMEDIATE");
      const refusals: number[] = [];
      for (let n = 0; n < 4; n += 1)
        refusals.push(
          await msOf(async () => {
            const answer = await send(it.service.url, invite());
            expect(answer?.status).toBe(503);
            expect(answer?.headers["retry-after"]).toBe("5");
          }),
        );
      locker.exec("COMMIT");
      locker.close();
      await expectAllGoesOn(it);
      return Math.max(...refusals);
    };
    expect(await leastOf(3_000, longestMs)).toBeLessThan(3_000);
    expect(await stop(it)).toBe(0);
    expect(missingIn(it)).toEqual([]);
  });
});

describe("under load: nothing is acknowledged that is not in the log", () => {
  const FILL = "head -c 300000 /dev/urandom";
  test.each([
    ["its -wal is removed", "rm log.db-wal", "true"],
    ["its -shm is removed", "rm log.db-shm", "true"],
    ["it is moved away and comes back", "mv log.db ../log.db", "sleep 0.5; mv ../log.db log.db"],
    ["all its files are moved away and come back", "mkdir ../a && mv log.db* ../a", "mv ../a/* ."],
    [
      "another file stands in its place for a while",
      `mv log.db ../own && ${FILL} > log.db`,
      "mv ../own log.db",
    ],
  ])("%s", async (_, fault, repair) => {
    const it = await scene();
    const end = new AbortController();
    const senders = Array.from({ length: 8 }, async () => {
      while (!end.signal.aborted) await it.send();
    });
    await until("much is acknowledged", () => it.acknowledged.length > 200);
    it.shell(fault);
    await until("it is noticed", () => tellings(it).length > 0);
    it.shell(repair);
    await until("all goes on", () => it.service.err().includes("the log is back"));
    const before = it.acknowledged.length;
    await until("much is acknowledged again", () => it.acknowledged.length > before + 200);
    end.abort();
    await Promise.all(senders);
    expect(await stop(it)).toBe(0);
    expect(missingIn(it)).toEqual([]);
  });
});

test("its -wal is emptied: it is told, and all goes on with what the log holds", async () => {
  const it = await scene();
  it.shell(": > log.db-wal");
  await until("it is noticed", () => tellings(it).length === 1);
  it.acknowledged.length = 0;
  await expectAllGoesOn(it);
  expect(it.service.err()).toContain("has lost its log.db-wal");
  expect(await stop(it)).toBe(0);
  expect(missingIn(it)).toEqual([]);
});
