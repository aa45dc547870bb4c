/** The way to the database: what it is refused for, that it comes back by itself, and that changes are heard of. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { createWatchdog } from "../../src/daemon/watchdog.ts";
import { followingClock, systemClock } from "../../src/shared/clock.ts";
import { postgresPlace } from "../../src/shared/store-url.ts";
import type { ThreadedStore } from "../../src/store/contract/threaded.ts";
import {
  openPostgresStore,
  openPostgresToRead,
  type PostgresOptions,
} from "../../src/store/postgres/postgres.ts";
import { passwordOf } from "../../src/postgres/connect.ts";
import { temporaryDirectory } from "../directory.ts";
import { launch } from "../end-to-end/program.ts";
import { freshWorld, succeed, until } from "../world.ts";
import { anEvent } from "./events.ts";
import { throughProxy } from "./postgres-proxy.ts";
import { asked, describeWithPostgres, postgresServer } from "./postgres-server.ts";

async function opened(options: PostgresOptions): Promise<ThreadedStore> {
  const store = await openPostgresStore(options);
  onTestFinished(() => store.close());
  return store;
}

const refusalOf = (options: PostgresOptions) =>
  opened(options).then(
    () => null,
    (error: unknown) => error,
  );

describeWithPostgres("the way to PostgreSQL", () => {
  test("what another process changed is heard of without a look at the log", async () => {
    const url = await (await postgresServer()).database();
    const [one, other] = [await opened({ url }), await opened({ url })];
    let heard = 0;
    other.watch(() => {
      heard += 1;
    });
    await one.append([anEvent("completed")]);
    await until("the other has heard", () => heard > 0);
    expect(other.faults()).toEqual([]);
  });

  test("a network that swallows all is noticed and told of; changes are looked for meanwhile, and it comes back", async () => {
    const url = await (await postgresServer()).database();
    const direct = await throughProxy(url);
    const store = await opened({ url, directUrl: direct.url });
    let heard = 0;
    store.watch(() => {
      heard += 1;
    });
    direct.swallow(true);
    await until("it is told of", () => store.faults().length > 0);
    expect(store.faults()[0]).toMatchObject({ kind: "unusable", refuses: false });
    const before = heard;
    await until("changes are looked for", () => heard > before + 1);
    expect(await store.append([anEvent("completed")])).toEqual([{ outcome: "stored", conflict: false }]);
    direct.swallow(false);
    await until("it is back", () => store.faults().length === 0);
    const alive = "SELECT count(*)::int AS n FROM jc.live_holders()";
    expect(await asked(url, alive)).toEqual([{ n: 1 }]);
    expect(await asked(url, "SELECT count(*)::int AS n FROM jc.holders")).toEqual([{ n: 1 }]);
  });

  test("what a network swallowed on its way to the database is not waited for, and the next question goes another way", async () => {
    const proxied = await throughProxy(await (await postgresServer()).database());
    const store = await opened({ url: proxied.url });
    await store.append([anEvent("in_progress")]);
    proxied.swallow(true);
    const beganAt = performance.now();
    const swallowed = store.append([anEvent("completed")]).then(
      () => null,
      (error: unknown) => error,
    );
    const read = store.connections().then(
      () => null,
      (error: unknown) => error,
    );
    await until("it is told of", () => store.faults().length > 0);
    proxied.swallow(false);
    await until("it is back", () => store.faults().length === 0);
    for (const refusal of [swallowed, read])
      expect(await refusal).toMatchObject({ code: "STORE_UNAVAILABLE" });
    // Who reads has a minute where the network is well.
    expect(performance.now() - beganAt).toBeLessThan(30_000);
    expect(await store.append([anEvent("completed")])).toMatchObject([{ outcome: "stored" }]);
  });

  test("sessions that the server ended come back, of pool and holder", async () => {
    const url = await (await postgresServer()).database();
    const store = await opened({ url });
    await store.append([anEvent("in_progress")]);
    await asked(
      url,
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    await until("the direct one's end is told of", () => store.faults().length > 0);
    await until("it is back", () => store.faults().length === 0);
    expect(await store.append([anEvent("completed")])).toMatchObject([{ outcome: "stored" }]);
  });

  test("a server that dies in the moment in which it lets somebody in ends no process", async () => {
    const url = await (await postgresServer()).database();
    const proxied = await throughProxy(url);
    const world = await freshWorld({ env: { JC_STORE_URL: proxied.url, JC_STORE_DIRECT_URL: url } });
    const ask = () => launch(world, ["run", "retry"]).ended;
    expect(await ask()).toMatchObject({ code: 0 });
    proxied.dieAfterLogin();
    const refused = await ask();
    expect(refused).toMatchObject({ code: 2, err: expect.not.stringContaining("this is a bug") });
    expect(await ask()).toMatchObject({ code: 0 });
  });

  test("a connection that breaks within a transaction fails that one alone", async () => {
    const url = await (await postgresServer()).database();
    const store = await opened({ url });
    const other = new Client({ connectionString: url });
    await other.connect();
    onTestFinished(() => other.end());
    // As one who changes a connection keeps out all others.
    await other.query("BEGIN; SELECT pg_advisory_xact_lock(27230, 0)");
    const appended = store.append([anEvent("in_progress")]).catch((error: unknown) => error);
    const waits = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 27230 AND NOT granted";
    await until("it waits for the lock", async () => (await other.query(waits)).rows.length > 0);
    await other.query(`SELECT pg_terminate_backend(pid) FROM (${waits}) AS w`);
    expect(await appended).toMatchObject({ code: "STORE_UNAVAILABLE" });
    await other.query("ROLLBACK");
    expect(await store.append([anEvent("in_progress")])).toEqual([{ outcome: "stored", conflict: false }]);
  });

  test("a service whose database is silent waits, and one whose scheduler does not go on hangs", async () => {
    const url = await (await postgresServer()).database();
    const pooled = await throughProxy(url);
    const store = await opened({ url: pooled.url, directUrl: url });
    const watchdog = createWatchdog({ thread: store.thread, wake: () => {} }, systemClock);
    const verdict = async () => {
      watchdog.look();
      await systemClock.sleep(400);
      return watchdog.look();
    };
    expect(await verdict()).toBe("hangs");
    pooled.swallow(true);
    expect(await verdict()).toBe("waits for the disk");
    pooled.cut();
  });

  test("a database that only reads, one that is not there, and a server that is not, are told apart", async () => {
    const server = await postgresServer();
    const url = await server.database();
    await (await openPostgresStore({ url })).close();
    const { pathname } = new URL(url.replace("@/", "@localhost/"));
    await asked(url, `ALTER DATABASE ${pathname.slice(1)} SET default_transaction_read_only = on`);
    const store = await refusalOf({ url });
    expect(store).toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining("the database only reads"),
    });
    expect(await refusalOf({ url: server.urlOf("nowhere") })).toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining("no database of that name"),
    });
    expect(await refusalOf({ url: `postgres://jc@/jc?host=${temporaryDirectory()}` })).toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining("nobody answers there"),
    });
    const { url: plain } = await throughProxy(url);
    expect(await refusalOf({ url: `${plain}?sslmode=verify-full` })).toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: "the database speaks no TLS",
    });
  });

  test("a statement that the server gave up on is no bug of ours", async () => {
    const server = await postgresServer();
    const url = await server.database();
    const store = await opened({ url });
    const { pathname } = new URL(url.replace("@/", "@localhost/"));
    await asked(url, "CREATE RULE slow AS ON INSERT TO jc.events DO ALSO SELECT pg_sleep(60)");
    await asked(url, `ALTER DATABASE ${pathname.slice(1)} SET statement_timeout = 300`);
    await asked(
      server.urlOf("postgres"),
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${pathname.slice(1)}'`,
    );
    await until("the pool has lost its own", async () =>
      store.append([anEvent("completed")]).then(
        () => false,
        (error: Error) => /took too long/.test(error.message),
      ),
    );
  });

  test("who only looks creates nothing", async () => {
    const url = await (await postgresServer()).database();
    expect(await openPostgresToRead({ url })).toBeNull();
    expect(await asked(url, "SELECT to_regnamespace('jc') IS NULL AS none")).toEqual([{ none: true }]);
  });

  test("time is the database's, and goes on evenly in between", async () => {
    const url = await (await postgresServer()).database();
    await (await openPostgresStore({ url })).close();
    await asked(url, "UPDATE jc.clock_offset SET ms = 86400000");
    let monotonic = 1_000;
    const clock = followingClock({ now: () => 5, monotonic: () => monotonic, sleep: async () => {} });
    expect(clock.now()).toBe(5);
    const store = await openPostgresStore({ url, clock });
    await store.close();
    const first = clock.now();
    expect(Math.abs(first - Date.now() - 86_400_000)).toBeLessThan(60_000);
    monotonic += 500;
    expect(clock.now()).toBe(first + 500);
  });

  test("status and doctor speak of the database, though a file that was the log once lies there", async () => {
    const world = await freshWorld();
    expect((await world.run(["run", "retry"])).code).toBe(0);
    expect((await world.run(["backup"])).code).toBe(0);
    const env = { JC_STORE_URL: await (await postgresServer()).database() };
    expect((await world.run(["run", "retry"], { env })).code).toBe(0);
    const { out } = await world.run(["status"], { env });
    expect(out).toContain(`acme has no connection and no events in ${env.JC_STORE_URL}`);
    expect(out).toContain("backups are the database's");
    const { json } = await world.run(["status", "--json"], { env });
    expect(json).toMatchObject({
      log: { kind: "postgres", place: env.JC_STORE_URL },
      backup: { lastAt: null, trouble: null },
    });
    const looked = await world.run(["doctor"], { env });
    expect(looked.out).toMatch(/store.*its disk is the database.s affair|The database runs with fsync off/m);
    expect(looked.out).toMatch(/^· backup +the database's own affair$/m);
  });

  test("what is done to a file says that there is none, and what to type instead", async () => {
    const url = await (await postgresServer()).database();
    const world = await freshWorld({ env: { JC_STORE_URL: url } });
    const dump = expect.stringContaining("pg_dump --format=custom --schema=jc");
    const tables = expect.stringContaining(
      "The tables in PostgreSQL are made by: jc-integrations store migrate",
    );
    for (const [argv, hint] of [
      [["backup"], dump],
      [["backup", "list"], dump],
      [["backup", "verify"], dump],
      [["store", "new-log"], tables],
    ]) {
      const { code, err } = await launch(world, argv).ended;
      expect({ argv, code, err }).toMatchObject({
        code: 2,
        err: expect.stringContaining("the log is in PostgreSQL"),
      });
      expect(/→ (.*)/s.exec(err)?.[1]).toEqual(hint);
    }
  });

  test("backups of before, when the log was a file, are listed and verified as such", async () => {
    const world = await freshWorld();
    await succeed(world, ["run", "retry"]);
    await succeed(world, ["backup"]);
    const env = { ...world.env, JC_STORE_URL: await (await postgresServer()).database() };
    const now = { ...world, env };
    const { code, out, err } = await launch(now, ["backup", "list"]).ended;
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining("log-") });
    expect(err).toContain("pg_dump --format=custom --schema=jc");
    const [, file = ""] = /(\/\S+\.backup)/.exec(out) ?? [];
    expect((await launch(now, ["backup", "verify", file]).ended).code).toBe(0);
    expect((await launch(now, ["backup", "verify"]).ended).code).toBe(2);
  });
});

describe("a database's URL", () => {
  test.each([
    ["postgres://jc@db.example/log", "db.example", "verify-full"],
    ["postgres://jc@127.0.0.1/log", "127.0.0.1", "none"],
    ["postgresql://jc@/log?host=/run/postgresql", "/run/postgresql", "none"],
    ["postgres://jc@db.example/log?sslmode=disable", "db.example", "none"],
  ])("%s", (url, host, tls) => {
    expect(postgresPlace(url, "store.url")).toEqual({ host, port: 5_432, database: "log", user: "jc", tls });
  });

  test.each(["postgres://jc:hunter2@db/log", "postgres://jc@db/log?password=hunter2"])(
    "with a password in it is refused, and not repeated",
    (url) => {
      expect(() => postgresPlace(url, "store.url")).toThrow(/^(?!.*hunter2).*has a password in it/);
    },
  );

  test("has its password from a file of libpq's form, or a credential", () => {
    const directory = temporaryDirectory();
    const file = join(directory, "pgpass");
    writeFileSync(file, "# ours\nother:5432:log:jc:wrong\ndb:5432:*:jc:a\\:b\\\\c\n", { mode: 0o600 });
    const place = postgresPlace("postgres://jc@db/log", "store.url");
    expect(passwordOf(place, { PGPASSFILE: file })).toBe("a:b\\c");
    expect(passwordOf(place, { CREDENTIALS_DIRECTORY: directory, HOME: "/nowhere" })).toBe("a:b\\c");
    expect(passwordOf({ ...place, user: "root" }, { PGPASSFILE: file })).toBeNull();
  });

  test("has none from a file that others may read, as libpq has none, unless its directory is a credential's", () => {
    const directory = temporaryDirectory();
    const file = join(directory, "pgpass");
    const home = temporaryDirectory();
    for (const each of [file, join(home, ".pgpass")]) writeFileSync(each, "*:*:*:*:first\n");
    const place = postgresPlace("postgres://jc@db/log", "store.url");
    for (const mode of [0o640, 0o604, 0o644, 0o440, 0o660]) {
      for (const each of [file, join(home, ".pgpass")]) chmodSync(each, mode);
      for (const env of [{ PGPASSFILE: file }, { HOME: home }])
        expect(() => passwordOf(place, env)).toThrow(/^the database wants a password.*other users may read/);
      expect(passwordOf(place, { PGPASSWORD: "second", PGPASSFILE: file })).toBe("second");
      for (const more of [{}, { PGPASSFILE: file }])
        expect(passwordOf(place, { CREDENTIALS_DIRECTORY: directory, HOME: home, ...more })).toBe("first");
    }
    chmodSync(file, 0o600);
    expect(passwordOf(place, { PGPASSFILE: file })).toBe("first");
  });
});
