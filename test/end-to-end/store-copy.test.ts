/** The log's way from its file into PostgreSQL, as an operator types it: with the built program, cut off, typed again. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { openCopySource } from "../../src/store/sqlite/copying/source.ts";
import { openPostgresStore } from "../../src/store/postgres/postgres.ts";
import { faultsIn } from "../docs/schemas.ts";
import { fillLog } from "../store/large-log.ts";
import { asked, describeWithPostgres, postgresServer } from "../store/postgres-server.ts";
import { newPostmaster } from "../store/postmaster.ts";
import {
  connected,
  freshWorld,
  importResults,
  invite,
  succeed,
  until,
  WEBHOOK_SECRET,
  type World,
} from "../world.ts";
import { allDelivered, launch, launchService, sendUntilTaken } from "./program.ts";

const newDatabase = async () => (await postgresServer()).database();
const copyTo = (url: string) => ["store", "copy", "--to", url];

async function large(rows: number): Promise<World> {
  const world = await freshWorld();
  await succeed(world, ["run", "retry"]);
  fillLog(world.stateDir, rows);
  return world;
}

/** 0 while the table is not there. */
async function countIn(url: string, table: string): Promise<number> {
  const [row] = await asked(url, `SELECT count(*)::int AS n FROM jc.${table}`).catch(() => [{ n: 0 }]);
  return Number(Object(row).n);
}

function contentOf({ stateDir }: World): unknown {
  const db = new Database(join(stateDir, "log.db"), { readonly: true });
  const tables = db
    .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .pluck()
    .all();
  const all = tables.map((name) => [name, db.prepare(`SELECT * FROM ${name}`).raw().all()]);
  db.close();
  return all;
}

describeWithPostgres("store copy", () => {
  test("carries all that commands tell of, and serve goes on from there, also with what was not delivered", async () => {
    const world = await connected();
    await importResults(world, [invite({ email: "ann@example.org" }), invite({ email: "bob@example.org" })]);
    await succeed(world, ["run", "retry"]);
    await importResults(world, [invite({ email: "eve@example.org" })]);
    const url = await newDatabase();
    const before = contentOf(world);
    const looks = [
      ["invites", "list", "--json"],
      ["logs", "--json"],
      ["webhooks", "log", "--json"],
      // When each was set is told, too.
      ["secrets", "list", "--json"],
    ];
    const told = async () => await Promise.all(looks.map(async (argv) => (await world.run(argv)).json));
    const ofFile = await told();
    const { code, out, err } = await launch(world, copyTo(url)).ended;
    expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining("comparing") });
    expect(out).toMatch(/^\d+ rows in 28 tables are in postgres:.*, each read back and compared\.$/m);
    expect(out).toContain(`store.url = "${url}"`);
    expect(out).toMatch(/^\d+ items of the vault, tokens and secrets, went along, sealed\.$/m);
    expect(contentOf(world)).toEqual(before);
    // The file says where the log is, and nothing that leads back to it.
    const retired = await Promise.all(
      [["status"], ["status", "--all"], ["doctor"]].map((argv) => launch(world, argv).ended),
    );
    for (const { code: ended, out, err } of retired) {
      const said = out + err;
      expect({ ended, said }).toEqual({ ended: 2, said: expect.stringContaining(`store.url = "${url}"`) });
      expect(said).not.toMatch(
        /→ (?!Set store\.url)|results? waits?|run retry|: jc-integrations serve|new-log|not running|No service/,
      );
    }
    const status = await world.run(["status", "--json"]);
    expect(faultsIn("status", status.json)).toBe(null);
    expect(status.json).toMatchObject({ service: "not known", log: { kind: "sqlite", copiedTo: url } });
    // Another machine: of what the first has it needs the key alone.
    Object.assign(world.env, { JC_STORE_URL: url, JC_STATE_DIR: join(world.dir, "another-machine") });
    expect(await told()).toEqual(ofFile);
    const service = await launchService(world);
    await sendUntilTaken(service.url, invite({ email: "dan@example.org" }), "msg_after_copy");
    await allDelivered(world);
    expect(Object.keys(await world.portal.contacts()).toSorted()).toEqual(
      ["ann", "bob", "dan", "eve"].map((name) => `${name}@example.org`),
    );
  });

  test("killed at any instant and typed again it goes on, and doubles nothing", async () => {
    const world = await large(12_000);
    const url = await newDatabase();
    const total = { invites: 12_000, events: 12_000, pushes: 12_000, attempts: 12_000 };
    for (const [table, rows] of [
      ["invites", 1],
      ["events", 4_000],
      ["pushes", 1],
      ["attempts", 6_000],
      ["attempts", 12_000],
    ] as const) {
      const program = launch(world, copyTo(url));
      await until(`${rows} rows of ${table} are there`, async () => (await countIn(url, table)) >= rows);
      program.child.kill("SIGKILL");
      await program.ended;
      const refused = await world.run(["status"], { env: { JC_STORE_URL: url } });
      if (refused.code === 0) break;
      expect(refused.out + refused.err).toContain("is the half of a copy");
    }
    const { code, out } = await launch(world, [...copyTo(url), "--json"]).ended;
    expect(code).toBe(0);
    const report = JSON.parse(out);
    expect(faultsIn("store-copy", report)).toBe(null);
    expect(["resumed", "whole"]).toContain(report.standing);
    for (const [table, rows] of Object.entries(total)) expect(await countIn(url, table)).toBe(rows);
    const env = { JC_STORE_URL: url };
    expect((await world.run(["status", "--json"], { env })).json).toMatchObject({
      events: { total: 12_000 },
      invites: 12_000,
      pushes: { delivered: 12_000 },
    });
  });

  test("while it is half, serve and all that writes, to the vault too, say how to finish it; the file stays in use", async () => {
    const world = await large(12_000);
    await succeed(world, ["secrets", "set", "jobcannon.webhook-secret"], WEBHOOK_SECRET);
    const url = await newDatabase();
    const program = launch(world, copyTo(url));
    await until("some rows are there", async () => (await countIn(url, "events")) > 0);
    program.child.kill("SIGKILL");
    await program.ended;
    const finish = `jc-integrations store copy --to '${url}'`;
    const keyElsewhere = join(world.dir, "key-of-another-machine");
    const onDatabase = {
      ...world,
      env: { ...world.env, JC_STORE_URL: url, JC_VAULT_KEY_FILE: keyElsewhere },
    };
    for (const argv of [
      ["serve"],
      ["run", "retry"],
      ["store", "migrate"],
      ["status"],
      ["secrets", "set", "hubspot.client-secret"],
      ["secrets", "list"],
      ["vault", "status"],
      ["vault", "rekey"],
      ["doctor"],
    ]) {
      const { child, ended } = launch(onDatabase, argv);
      child.stdin?.end("a secret that the copy would write over");
      const { code, out, err } = await ended;
      expect({ argv, code }).toEqual({ argv, code: 2 });
      expect((out + err).replaceAll(/\s+/g, " ").replaceAll('"', "'")).toContain(finish);
    }
    expect(await asked(url, "SELECT to_regnamespace('jc_vault') AS schema")).toEqual([{ schema: null }]);
    expect(existsSync(keyElsewhere)).toBe(false);
    await importResults(world, [invite()]);
    const { code, out } = await launch(world, copyTo(url)).ended;
    expect(code).toBe(0);
    expect(out).toContain("begun anew, since the log had changed");
    expect(await countIn(url, "events")).toBe(12_001);
  });

  test("leaves the statistics by which the database plans what is asked of all these rows", async () => {
    const world = await large(1_000);
    const server = await postgresServer(["fsync=off", "synchronous_commit=off", "autovacuum=off"]);
    const url = await server.database();
    expect(await launch(world, copyTo(url)).ended).toMatchObject({ code: 0 });
    const known = await asked(
      url,
      "SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = 'jc' AND n_distinct <> 0 ORDER BY tablename",
    );
    const filled = ["attempts", "connections", "events", "invites", "pushes"];
    expect(known.map((row) => Object(row).tablename)).toEqual(expect.arrayContaining(filled));
    const counted = `SELECT reltuples::int AS n FROM pg_class WHERE oid = 'jc.pushes'::regclass`;
    expect(await asked(url, counted)).toEqual([{ n: 1_000 }]);
  });

  test("Ctrl-C ends it with 130, says that it goes on, and it does", async () => {
    const world = await large(12_000);
    const url = await newDatabase();
    const program = launch(world, copyTo(url));
    await until("some rows are there", async () => (await countIn(url, "events")) > 0);
    program.child.kill("SIGINT");
    expect(await program.ended).toMatchObject({
      code: 130,
      err: expect.stringContaining("the same command goes on with it"),
    });
    const { json } = await world.run([...copyTo(url), "--json"]);
    expect(json).toMatchObject({ standing: "resumed", isDryRun: false });
  });

  test("a database that goes away in the middle ends it with what to type, and it goes on then", async () => {
    const world = await large(12_000);
    const url = await newDatabase();
    const program = launch(world, copyTo(url));
    await until("some rows are there", async () => (await countIn(url, "events")) > 0);
    await until("it has met an end of its sessions", async () => {
      await asked(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
      );
      return program.child.exitCode !== null;
    });
    const { code, err } = await program.ended;
    expect(code).toBe(2);
    expect(err.replaceAll(/\s+/g, " ").replaceAll('"', "'")).toContain(
      `goes on where it was: jc-integrations store copy --to '${url}'`,
    );
    // Nothing else goes on by itself.
    expect(err).not.toMatch(/Nothing is to be done|serve tries|store\.url/);
    const { json } = await world.run([...copyTo(url), "--json"]);
    expect(json).toMatchObject({ standing: "resumed" });
    expect(await countIn(url, "attempts")).toBe(12_000);
  });

  test("a database that it cannot reach, or use, is spoken of as --to, with what is typed once that is mended", async () => {
    const world = await large(1);
    const away = newPostmaster(["fsync=off"]).urlOf("postgres");
    const known = new URL((await newDatabase()).replace("@/", "@localhost/"));
    const there = (path: string) => `postgres://jc@${path}?host=${known.searchParams.get("host")}`;
    for (const { to, words, hint } of [
      { to: away, words: "nobody answers there", hint: "Start it, or correct --to." },
      {
        to: "postgres://jc@db.invalid/log",
        words: "its host's name is not known",
        hint: "Correct --to, or look at the resolver.",
      },
      {
        to: there("/elsewhere"),
        words: "no database of that name",
        hint: "Have it made by CREATE DATABASE, or correct --to.",
      },
      {
        to: there("/postgres").replace("jc@", "nobody@"),
        words: "takes this user or password for none of its own",
        hint: "Look at the user in --to,",
      },
    ]) {
      const again = `Then run it again: jc-integrations store copy --to ${to} `;
      for (const argv of [copyTo(to), [...copyTo(to), "--dry-run"]]) {
        const { code, out, err } = await launch(world, argv).ended;
        const said = err.replaceAll(/\s+/g, " ").replaceAll('"', "");
        expect({ argv, code, out, said }).toEqual({
          argv,
          code: 2,
          out: "",
          said: expect.stringContaining(words),
        });
        expect(said).toContain(`→ ${hint}`);
        expect(said).not.toMatch(/store\.url|serve tries|Nothing is to be done/);
        expect({ argv, isSaid: said.includes(again) }).toEqual({ argv, isSaid: argv.length === 4 });
      }
    }
  });

  test("keeps others from writing to the log meanwhile, and from copying it at the same time", async () => {
    const world = await large(10);
    const url = await newDatabase();
    const source = openCopySource(world.stateDir, Date.now());
    const beside = launch(world, ["invites", "import", world.file("late.ndjson", [invite()])]);
    const second = await launch(world, copyTo(url)).ended;
    expect(second).toMatchObject({ code: 2, err: expect.stringContaining(`${process.pid} (`) });
    source.mark(url);
    source.close();
    expect(await beside.ended).toMatchObject({
      code: 2,
      err: expect.stringMatching(/was copied to|is locked by another process/),
    });
    expect((await world.run(["status", "--json"])).json).toMatchObject({ events: { total: 10 } });
  });

  test("--dry-run says what would be copied, in the copy's own words and numbers, and changes nothing", async () => {
    const world = await large(10);
    await succeed(world, ["secrets", "set", "jobcannon.webhook-secret"], WEBHOOK_SECRET);
    const url = await newDatabase();
    const dryRun = [...copyTo(url), "--dry-run"];
    const planned = await world.run([...dryRun, "--json"]);
    expect(faultsIn("store-copy", planned.json)).toBe(null);
    expect(planned.json).toMatchObject({ isDryRun: true, standing: "new", vaultItems: 1, to: url });
    const plan = await launch(world, dryRun).ended;
    expect(await asked(url, "SELECT to_regnamespace('jc') AS schema")).toEqual([{ schema: null }]);
    const done = await launch(world, copyTo(url)).ended;
    const numbers = /^\d+ rows in \d+ tables|^\d+ items? of the vault, tokens and secrets,/gm;
    const counted = done.out.match(numbers);
    expect(counted).toEqual(["41 rows in 28 tables", "1 item of the vault, tokens and secrets,"]);
    expect(plan.out.match(numbers)).toEqual(counted);
    for (const argv of [copyTo(url), dryRun])
      expect((await world.run([...argv, "--json"])).json).toMatchObject({
        standing: "whole",
        rows: 0,
        tables: [],
      });
  });

  test("refuses while a service is alive on the log, or any other process has it open", async () => {
    const world = await connected();
    const url = await newDatabase();
    const service = await launchService(world);
    const served = await launch(world, copyTo(url)).ended;
    expect(served.code).toBe(2);
    expect(served.err).toContain("the log is in use by serve");
    expect(served.err).toContain("systemctl stop");
    service.child.kill("SIGTERM");
    await service.ended;
    const watching = launch(world, ["logs", "--follow"]);
    await until("it is refused", async () => {
      const { code, err } = await world.run([...copyTo(url), "--dry-run"]);
      return code === 2 && err.includes(`process ${watching.child.pid}`);
    });
    watching.child.kill("SIGINT");
    await watching.ended;
    expect((await world.run(copyTo(url))).code).toBe(0);
  });

  test("refuses a database that is in use, or that holds another log", async () => {
    const world = await connected();
    const [taken, half] = [await newDatabase(), await newDatabase()];
    await succeed(await connected({ env: { JC_STORE_URL: taken } }), ["run", "retry"]);
    const other = await large(12_000);
    const program = launch(other, copyTo(half));
    await until("some rows are there", async () => (await countIn(half, "events")) > 0);
    program.child.kill("SIGKILL");
    await program.ended;
    const refusedTaken = await world.run(copyTo(taken));
    expect(refusedTaken).toMatchObject({ code: 2, err: expect.stringContaining("holds another log") });
    expect(refusedTaken.err).toContain("of 0 events");
    expect(refusedTaken.err).toMatch(/pg_dump .*\n.*\n.*DROP SCHEMA jc CASCADE/);
    const refusedHalf = await world.run(copyTo(half));
    expect(refusedHalf).toMatchObject({ code: 2, err: expect.stringContaining(other.stateDir) });
    const used = await newDatabase();
    const store = await openPostgresStore({ url: used });
    expect(await world.run(copyTo(used))).toMatchObject({
      code: 2,
      err: expect.stringContaining("is in use by"),
    });
    // It was left as it was found.
    expect(await store.append([])).toEqual([]);
    await store.close();
    await (await openPostgresStore({ url: used })).close();
    await succeed(world, ["run", "retry"]);
  });

  test("refuses a password in the URL, does not repeat it, and says where it belongs", async () => {
    const world = await large(1);
    const { code, out, err } = await world.run(copyTo("postgres://jc:hunter2@db.example.com/log"));
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).not.toContain("hunter2");
    expect(err).toContain("PGPASSFILE");
    expect(err).toContain("others see it");
    expect((await world.run(copyTo("mysql://db/log"))).err).toContain("no postgres URL");
  });

  test("once it is whole nothing writes to the file, until an operator says that it is the log all the same", async () => {
    const world = await large(5);
    await succeed(world, ["backup"]);
    const backups = join(world.stateDir, "backups");
    const backup = join(backups, readdirSync(backups)[0] ?? "");
    const url = await newDatabase();
    await succeed(world, copyTo(url));
    for (const argv of [
      ["serve"],
      ["run", "retry"],
      ["secrets", "set", "hubspot.client-secret"],
      ["vault", "rekey"],
    ]) {
      const { child, ended } = launch(world, argv);
      child.stdin?.end("a secret that would be missing there");
      const { code, err } = await ended;
      expect({ argv, code }).toEqual({ argv, code: 2 });
      expect(err).toContain(`was copied to ${url}`);
    }
    const status = await world.run(["status"]);
    expect(status.code).toBe(2);
    expect(status.out).toContain("was copied to");
    for (const argv of [["invites", "wanted"], ["logs"], ["webhooks", "log"]]) {
      const { code, err } = await launch(world, argv).ended;
      expect({ argv, code, err: err.replaceAll(/\s+/g, " ") }).toEqual({
        argv,
        code: 0,
        err: expect.stringMatching(/was copied to .* this is what it held then\. Set store\.url = /),
      });
    }
    expect(await launch(world, ["backup"]).ended).toMatchObject({
      code: 2,
      err: expect.stringContaining("is not the log any more"),
    });
    for (const more of [[], ["--dry-run"]]) {
      const { code, err } = await launch(world, ["restore", backup, "--yes", ...more]).ended;
      expect({ more, code }).toEqual({ more, code: 2 });
      expect(err).toContain(`was copied to ${url} on`);
      expect(err.replaceAll(/\s+/g, " ")).toContain("first: jc-integrations store new-log");
    }
    const elsewhere = await newDatabase();
    for (const more of [[], ["--dry-run"]])
      expect(await world.run([...copyTo(elsewhere), ...more])).toMatchObject({
        code: 2,
        err: expect.stringContaining(`was copied to ${url} before`),
      });
    expect(await countIn(elsewhere, "events")).toBe(0);
    const again = await world.run([...copyTo(url), "--json"]);
    expect(again).toMatchObject({ code: 0, json: { standing: "whole" } });
    expect(await world.run(["store", "new-log"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("what waits in both goes out from both: that needs a yes"),
    });
    expect(await world.run(["store", "new-log", "--yes"])).toMatchObject({
      code: 0,
      out: expect.stringContaining("is accepted"),
    });
    await succeed(world, ["run", "retry"]);
    await succeed(world, ["restore", backup, "--yes"]);
    expect(await world.run(copyTo(url))).toMatchObject({
      code: 2,
      err: expect.stringContaining("holds an older copy of this log"),
    });
  });
});
