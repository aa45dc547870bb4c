import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { backUp } from "../../src/store/sqlite/file/backup.ts";
import { isSafeSqlite, openLog } from "../../src/store/sqlite/file/open.ts";
import { MIGRATIONS } from "../../src/store/sqlite/file/migrations.ts";
import { NOON } from "../core/example.ts";
import { until } from "../world.ts";
import { children } from "./child.ts";
import { anEvent, completedFor } from "./events.ts";
import { onFileSystem, testWithMounts } from "./parts.ts";
import { SLOW_MIGRATION, SLOW_MIGRATION_ROWS } from "./slow-migration.ts";
import { openDirect, openThreaded, opened } from "./world.ts";
import { dist } from "../built.ts";
import { temporaryDirectory } from "../directory.ts";

const start = children();
const logIn = (stateDir: string) => join(stateDir, "log.db");
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe("opening the log", () => {
  test.each([
    ["text", "This is no database, and it is longer than the header of one would be. ".repeat(10)],
    ["a few bytes", "no"],
  ])("refuses a file that is %s and leaves it as it is", async (_, content) => {
    const stateDir = temporaryDirectory();
    writeFileSync(logIn(stateDir), content);
    for (const open of [openDirect, openThreaded]) {
      await expect(open(stateDir)).rejects.toMatchObject({
        code: "STORE_UNAVAILABLE",
        message: `${logIn(stateDir)} is not a SQLite file`,
      });
    }
    expect(readFileSync(logIn(stateDir), "utf8")).toBe(content);
  });

  test("refuses another program's database and leaves it as it is", async () => {
    const stateDir = temporaryDirectory();
    const theirs = new Database(logIn(stateDir));
    theirs.exec("CREATE TABLE places (url TEXT)");
    theirs.close();
    const before = readFileSync(logIn(stateDir));
    await expect(openDirect(stateDir)).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: `${logIn(stateDir)} belongs to another program`,
    });
    expect(readFileSync(logIn(stateDir)).equals(before)).toBe(true);
  });

  test("refuses a log that a newer program wrote", async () => {
    const stateDir = temporaryDirectory();
    const db = openLog(stateDir, { now: NOON });
    db.pragma(`user_version = ${MIGRATIONS.length + 1}`);
    db.close();
    for (const open of [openDirect, openThreaded])
      await expect(open(stateDir)).rejects.toMatchObject({ code: "STORE_TOO_NEW" });
  });

  test("says so when the state directory cannot be made", async () => {
    const file = join(temporaryDirectory(), "file");
    writeFileSync(file, "");
    await expect(openDirect(join(file, "state"))).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: `${logIn(join(file, "state"))} cannot be opened: ${file} is no directory`,
    });
  });

  testWithMounts(
    "says so on a file system that cannot be written, with a log there and without",
    async () => {
      const mountedAt = temporaryDirectory();
      const stateDir = temporaryDirectory();
      openLog(stateDir, { now: NOON }).close();
      const prepare = `mkdir "$0/full" "$0/empty" && cp ${logIn(stateDir)} "$0/full" && mount -o remount,ro "$0"`;
      const directories = ["full", "empty", "none"].map((name) => join(mountedAt, name));
      const child = start("read-only", directories, onFileSystem(mountedAt, "size=8m", prepare));
      const outcomes = await child.rest();
      expect(outcomes).toHaveLength(directories.length);
      for (const outcome of outcomes)
        expect(outcome).toMatch(
          /^STORE_UNAVAILABLE: .*log\.db cannot be written: its file system is read-only$/,
        );
    },
  );

  testWithMounts("says so on a disk that is full, with a log there and without", async () => {
    const mountedAt = temporaryDirectory();
    const stateDir = temporaryDirectory();
    openLog(stateDir, { now: NOON }).close();
    const prepare = `mkdir "$0/full" "$0/empty" && cp ${logIn(stateDir)} "$0/full" && { dd if=/dev/zero of="$0/ballast" bs=4k 2>&- || true; }`;
    const directories = ["full", "empty"].map((name) => join(mountedAt, name));
    const child = start("read-only", directories, onFileSystem(mountedAt, "size=1m", prepare));
    for (const outcome of await child.rest())
      expect(outcome).toMatch(/^STORE_UNAVAILABLE: .*log\.db cannot grow: the disk is full$/);
  });

  test("keeps everything it makes to its owner", async () => {
    const stateDir = join(temporaryDirectory(), "new", "state");
    const store = await opened(openDirect, stateDir);
    await store.append([anEvent("completed")]);
    const modes = readdirSync(stateDir)
      .toSorted()
      .map((name) => [name, modeOf(join(stateDir, name))]);
    expect(modes).toEqual([
      ["log.db", "600"],
      ["log.db-shm", "600"],
      ["log.db-wal", "600"],
    ]);
    expect(modeOf(stateDir)).toBe("700");
  });

  test("waits for the disk at every commit, also after the first write", () => {
    const db = openLog(temporaryDirectory(), { now: NOON });
    db.exec("UPDATE counters SET value = 1 WHERE name = 'events'");
    const FULL = 2;
    expect(db.pragma("synchronous", { simple: true })).toBe(FULL);
    expect(db.pragma("journal_mode", { simple: true })).toBe("wal");
    db.close();
  });

  test.each([
    ["3.51.2", false],
    ["3.9.9", false],
    ["2.60.0", false],
    ["3.51.3", true],
    ["3.52.0", true],
    ["4.0.0", true],
  ])("takes SQLite %s for one that two processes may share: %s", (version, isSafe) => {
    expect(isSafeSqlite(version)).toBe(isSafe);
  });
});

describe("migrating the log", () => {
  const backupsIn = (stateDir: string) => readdirSync(stateDir).filter((name) => name.endsWith(".backup"));
  const withEvents = async () => {
    const stateDir = temporaryDirectory();
    const store = await openDirect(stateDir);
    await store.append(completedFor("ann", "bob"));
    await store.close();
    return stateDir;
  };

  test("takes a backup first, private and whole, which opens as the log did before", async () => {
    const stateDir = await withEvents();
    const migrations = [...MIGRATIONS, "CREATE TABLE extra (n INTEGER)"];
    openLog(stateDir, { migrations, now: NOON }).close();
    expect(backupsIn(stateDir)).toHaveLength(1);
    const backup = join(stateDir, backupsIn(stateDir)[0] ?? "");
    expect(modeOf(backup)).toBe("600");
    const restored = temporaryDirectory();
    writeFileSync(logIn(restored), readFileSync(backup), { mode: 0o600 });
    const store = await opened(openDirect, restored);
    expect((await store.overview("acme", NOON)).events.total).toBe(2);
    await expect(openDirect(stateDir)).rejects.toMatchObject({ code: "STORE_TOO_NEW" });
  });

  test("brings one of the first release up to date, with all that is in it", async () => {
    const stateDir = temporaryDirectory();
    openLog(stateDir, { migrations: MIGRATIONS.slice(0, 1), now: NOON }).close();
    const db = new Database(logIn(stateDir));
    db.exec("UPDATE counters SET value = 2 WHERE name = 'events'");
    db.close();
    for (const open of [openDirect, openThreaded]) {
      const overview = await (await opened(open, stateDir)).overview("acme", NOON);
      expect(overview).toMatchObject({ events: { total: 2 }, consents: [] });
    }
    expect(backupsIn(stateDir)).toHaveLength(1);
  });

  test("keeps what was to be asked before questions had rows of their own", async () => {
    const stateDir = temporaryDirectory();
    const before = MIGRATIONS.findIndex((sql) => sql.includes("CREATE TABLE questions"));
    const db = openLog(stateDir, { migrations: MIGRATIONS.slice(0, before), now: NOON });
    db.exec(`
      INSERT INTO events (seq, source, event_id, body_hash, type, at, received_at, conflict, payload)
        VALUES (7, 'smartrecruiters', 'evt_1', x'00', 'completed', ${NOON}, ${NOON}, 0, '{}');
      INSERT INTO confirmations (seq, vendor, org, environment, candidate_id, assessment_id, status, at, state)
        VALUES (7, 'smartrecruiters', 'acme', 'sandbox', 'c1', 'a1', 'completed', ${NOON}, 'asking')`);
    db.close();
    const store = await opened(openDirect, stateDir);
    expect(await store.questions({ dueBy: NOON, after: 0, limit: 10 })).toEqual([
      {
        ...{ seq: 7, vendor: "smartrecruiters", org: "acme", environment: "sandbox" },
        ...{ about: { candidateId: "c1", assessmentId: "a1" }, at: NOON, tries: 0 },
      },
    ]);
  });

  test("moves what was no schedule's from the ticks to the marks of its connection", async () => {
    const stateDir = temporaryDirectory();
    const until = MIGRATIONS.findIndex((sql) => sql.includes("CREATE TABLE marks"));
    const db = openLog(stateDir, { migrations: MIGRATIONS.slice(0, until), now: NOON });
    db.exec(`
      INSERT INTO connections (id, org, vendor, environment, subject_kind, state, details) VALUES
        (1, 'acme', 'hubspot', 'production', 'contact', 'connected', '{}'),
        (12, 'acme', 'hubspot', 'sandbox', 'contact', 'connected', '{}');
      INSERT INTO ticks (job, due_at, opened_at) VALUES
        ('probe 1', 5, 0), ('probe 1', 7, 0), ('resync 1', 3, 0), ('resync 1 ended', 2, 0), ('released 1', 40, 0),
        ('sandbox-test 12', 9, 0), ('probe 99', 1, 0), ('sweep', 100, 0)`);
    db.close();
    const store = await opened(openDirect, stateDir);
    expect((await store.connection(1))?.marks).toEqual({
      probe: 7,
      "bootstrap begun": 3,
      "bootstrap ended": 2,
      released: 40,
    });
    expect((await store.connection(12))?.marks).toEqual({ "trial passed": 9 });
    const left = new Database(logIn(stateDir), { readonly: true });
    onTestFinished(() => void left.close());
    expect(left.prepare("SELECT job FROM ticks").pluck().all()).toEqual(["sweep"]);
  });

  test("takes none for a new log, nor when there is nothing to migrate", async () => {
    const stateDir = await withEvents();
    openLog(stateDir, { now: NOON }).close();
    expect(backupsIn(stateDir)).toEqual([]);
  });

  test("leaves the log as it was when a migration fails", async () => {
    const stateDir = await withEvents();
    const migrations = [...MIGRATIONS, "CREATE TABLE extra (n INTEGER); INSERT INTO nowhere VALUES (1)"];
    expect(() => openLog(stateDir, { migrations, now: NOON })).toThrow("no such table");
    const store = await opened(openDirect, stateDir);
    expect((await store.overview("acme", NOON)).events.total).toBe(2);
  });

  test("leaves the old log or the new one, never half of it, when it is killed", async () => {
    const outcomes: string[] = [];
    for (const afterMs of [20, 60, 100, 150, 200]) {
      const stateDir = await withEvents();
      const child = start("migrator", [stateDir]);
      await child.next();
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      await child.kill();
      const db = new Database(logIn(stateDir));
      const isNew = db.pragma("user_version", { simple: true }) === MIGRATIONS.length + 1;
      const table = db.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'extra'").pluck().get();
      expect(table).toBe(isNew ? 1 : 0);
      if (isNew) expect(db.prepare("SELECT count(*) FROM extra").pluck().get()).toBe(SLOW_MIGRATION_ROWS);
      expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
      db.close();
      outcomes.push(isNew ? "new" : "old");
      openLog(stateDir, { migrations: [...MIGRATIONS, SLOW_MIGRATION], now: NOON }).close();
    }
    expect(outcomes).toContain("old");
  });

  test("leaves no backup that is none when it is killed while one is made, and removes what was begun", async () => {
    const stateDir = await withEvents();
    const db = new Database(logIn(stateDir));
    db.exec(`CREATE TABLE bulk (x);
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
        INSERT INTO bulk SELECT randomblob(500) FROM n`);
    db.close();
    const begun = () => readdirSync(stateDir).filter((name) => name.endsWith(".partial"));
    const child = start("migrator", [stateDir]);
    await until("a backup is begun", () =>
      begun().some((name) => statSync(join(stateDir, name)).size > 100_000),
    );
    await child.kill();
    expect(backupsIn(stateDir)).toEqual([]);
    openLog(stateDir, { migrations: [...MIGRATIONS, SLOW_MIGRATION], now: NOON }).close();
    expect(begun()).toEqual([]);
    expect(backupsIn(stateDir)).toHaveLength(1);
    const backup = new Database(join(stateDir, backupsIn(stateDir)[0] ?? ""), { readonly: true });
    expect(backup.pragma("integrity_check", { simple: true })).toBe("ok");
    expect(backup.prepare("SELECT count(*) FROM events").pluck().get()).toBe(2);
    backup.close();
  });

  test("leaves the backup that somebody else makes just now", async () => {
    const stateDir = await withEvents();
    const theirs = `${logIn(stateDir)}.v1-2026-11-28T00-00-00-000Z-${process.ppid}.backup.partial`;
    writeFileSync(theirs, "");
    openLog(stateDir, { migrations: [...MIGRATIONS, "CREATE TABLE extra (n)"], now: NOON }).close();
    expect(readdirSync(stateDir)).toContain(basename(theirs));
  });

  testWithMounts(
    "asks first whether there is room for a backup, and changes nothing where there is none",
    async () => {
      const mountedAt = temporaryDirectory();
      const stateDir = temporaryDirectory();
      openLog(stateDir, { migrations: MIGRATIONS.slice(0, -1), now: NOON }).close();
      const prepare = `mkdir "$0/tight" && cp ${logIn(stateDir)} "$0/tight"`;
      const child = start(
        "read-only",
        [join(mountedAt, "tight")],
        onFileSystem(mountedAt, "size=8m", prepare),
      );
      expect(await child.rest()).toEqual([
        expect.stringMatching(
          /^STORE_UNAVAILABLE: there is no room for a backup in .+: it needs 1\d MB, \d MB are free$/,
        ),
      ]);
    },
  );

  test("lets two who start at once both open the migrated log", async () => {
    const stateDir = await withEvents();
    const both = [start("migrator", [stateDir]), start("migrator", [stateDir])];
    for (const child of both) expect(await child.rest()).toEqual(["begun", "done"]);
    expect(backupsIn(stateDir).length).toBeGreaterThanOrEqual(1);
  });
});

describe("a backup", () => {
  const filled = async () => {
    const stateDir = temporaryDirectory();
    const store = await opened(openThreaded, stateDir);
    await store.append(completedFor("ann", "bob"));
    return { stateDir, store, to: join(stateDir, "log.db.now.backup") };
  };

  test("is whole and private while events come in, and tells that it is a copy of that log", async () => {
    const { stateDir, store, to } = await filled();
    const db = new Database(logIn(stateDir));
    const coming = Promise.all(
      Array.from({ length: 200 }, (_, n) => store.append([anEvent("completed", { eventId: `evt_${n}` })])),
    );
    backUp(db, to);
    await coming;
    const tokenIn = (file: Database.Database) => file.prepare("SELECT id, copy FROM log_file").get();
    const copy = new Database(to, { readonly: true });
    expect(tokenIn(copy)).toEqual({ ...Object(tokenIn(db)), copy: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(copy.pragma("integrity_check", { simple: true })).toBe("ok");
    for (const file of [copy, db]) file.close();
    expect(modeOf(to)).toBe("600");
    expect(readdirSync(stateDir).filter((name) => name.includes("backup"))).toEqual([basename(to)]);
  });

  test("replaces none that is there, and leaves nothing where the log is damaged", async () => {
    const { stateDir, store, to } = await filled();
    await store.close();
    const db = new Database(logIn(stateDir));
    writeFileSync(to, "kept");
    expect(() => backUp(db, to)).toThrow("exists already");
    expect(readFileSync(to, "utf8")).toBe("kept");
    const page = Number(
      db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'events_identity'").pluck().get(),
    );
    db.close();
    const bytes = readFileSync(logIn(stateDir));
    bytes.fill(0, (page - 1) * 4096 + 100, page * 4096);
    writeFileSync(logIn(stateDir), bytes);
    const damaged = new Database(logIn(stateDir));
    expect(() => backUp(damaged, `${to}2`)).toThrow();
    damaged.close();
    expect(readdirSync(stateDir).filter((name) => name.includes("backup"))).toEqual([basename(to)]);
  });
});

describe("a full disk", () => {
  testWithMounts(
    "refuses what it cannot keep, loses nothing it acknowledged, and takes events again once there is room",
    async () => {
      const mountedAt = join(temporaryDirectory(), "disk");
      mkdirSync(mountedAt);
      const thread = fileURLToPath(new URL("store-thread.js", dist()));
      const child = start("full-disk", [mountedAt, thread], onFileSystem(mountedAt, "size=12m"));
      const [outcome] = await child.rest();
      expect(outcome).toMatchObject({
        refusals: ["STORE_UNAVAILABLE"],
        readable: true,
        afterwards: "stored",
        lost: [],
        integrity: "ok",
      });
      const { stored } = outcome as { stored: number };
      expect(stored).toBeGreaterThan(50);
      expect(outcome).toHaveProperty("seenByWhoLooks", { events: stored - 1, written: "STORE_UNAVAILABLE" });
    },
  );
});
