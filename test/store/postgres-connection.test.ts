/** The way to the database: what it is refused for, that it comes back by itself, and that changes are heard of. */
import { writeFileSync } from "node:fs";
import { connect as connectTo, createServer, type AddressInfo, type Socket } from "node:net";
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
import { passwordOf } from "../../src/store/postgres/server/connect.ts";
import { temporaryDirectory } from "../directory.ts";
import { freshWorld, until } from "../world.ts";
import { anEvent } from "./events.ts";
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

/** A TCP port that leads to the server's socket, and swallows what is sent while it is told to. */
async function proxyTo(socketPath: string) {
  let swallows = false;
  const ends = new Set<Socket>();
  const server = createServer((near) => {
    const far = connectTo(socketPath);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(from);
      from.on("data", (bytes) => swallows || to.write(bytes));
      from.on("close", () => swallows || to.destroy());
      from.on("error", () => {});
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = () => {
    for (const end of ends) end.destroy();
  };
  onTestFinished(() => {
    cut();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    swallow: (now: boolean) => {
      swallows = now;
    },
    cut,
  };
}

async function throughProxy(url: string) {
  const { directory } = await postgresServer();
  const proxy = await proxyTo(join(directory, ".s.PGSQL.5432"));
  const database = new URL(url.replace("@/", "@localhost/")).pathname;
  return { ...proxy, url: `postgres://jc@127.0.0.1:${proxy.port}${database}` };
}

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
  }, 30_000);

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
    expect(looked.out).toMatch(/^· store +the log is in PostgreSQL, and its disk is the database's affair$/m);
    expect(looked.out).toMatch(/^· backup +the database's own affair$/m);
  });

  test("what is done to a file says that there is none, and what to type instead", async () => {
    const url = await (await postgresServer()).database();
    const world = await freshWorld({ env: { JC_STORE_URL: url } });
    for (const argv of [["backup"], ["store", "new-log"]]) {
      const { code, err } = await world.run(argv);
      expect({ code, err }).toMatchObject({
        code: 2,
        err: expect.stringContaining("the log is in PostgreSQL"),
      });
      expect(err).toContain("pg_dump --format=custom --schema=jc");
    }
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
});
