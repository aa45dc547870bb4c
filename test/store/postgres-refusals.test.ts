/** Each way in which a database refuses a running service: what senders hear, what the operator is told, and that it comes back. */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../directory.ts";
import { type Serving, serving } from "../daemon/serving.ts";
import { connected, invite, until, type World } from "../world.ts";
import { onFileSystem, testWithMounts } from "./parts.ts";
import { newPostmaster, type Postmaster, standbyOf } from "./postmaster.ts";
import { asked, describeWithPostgres, postgresServer } from "./postgres-server.ts";

/** A service that works, and what its own user may not do of it. */
interface Refusable extends Serving {
  world: World;
  database: string;
  user: string;
  /** Run by a superuser elsewhere. */
  sql(statement: string): Promise<unknown>;
  /** The same in the service's own database. */
  within(statement: string): Promise<unknown>;
}

async function refusable(server: Pick<Postmaster, "urlOf">, url: string, env = {}): Promise<Refusable> {
  const [, database = ""] = /\/(\w+)\?/.exec(url) ?? [];
  const user = `app_${database}`;
  const by = (place: string) => (statement: string) => asked(place, statement);
  const [sql, within] = [by(server.urlOf("postgres")), by(url)];
  await sql(`CREATE ROLE ${user} LOGIN PASSWORD 'first'`);
  await sql(`ALTER DATABASE ${database} OWNER TO ${user}`);
  const world = await connected({ env: { JC_STORE_URL: url.replace("//jc@", `//${user}@`), ...env } });
  const serve = await serving(world);
  expect((await serve.post(invite())).status).toBe(202);
  return { ...serve, world, database, user, sql, within };
}

const ending = ({ database, user }: Refusable) =>
  `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database}' AND usename = '${user}'`;

/** Never taken, with the reason where people look; and taken once it is mended. */
async function refusesUntil(
  { post, get, running, world }: Pick<Refusable, "post" | "get" | "running" | "world">,
  {
    words,
    inJournal = words,
    hint,
    mend,
  }: Pick<Refusal, "words" | "inJournal" | "hint"> & { mend(): Promise<void> },
): Promise<void> {
  const [event, id] = [invite(), "msg_refused"];
  for (let tries = 0; tries < 3; tries += 1) {
    const { status, headers } = await post(event, { id });
    expect({ status, after: headers.get("retry-after") }).toMatchObject({
      status: 503,
      after: expect.anything(),
    });
  }
  await until("it is told", () => running.err().includes(inJournal));
  expect((await get("/readyz")).status).toBe(503);
  // What ended the session may be told first; and the sender goes on, as what nobody meets any more is no trouble.
  let told = { code: 0, err: "" };
  await until("status says it", async () => {
    await post(event, { id });
    told = await world.run(["status"]);
    return told.err.includes(words);
  });
  expect(told).toMatchObject({ code: 2, err: expect.stringContaining(hint) });
  await mend();
  await until("the sender's next try is taken", async () => (await post(event, { id })).status === 202);
  await until("nothing is complained of", async () => (await world.run(["status"])).code === 0);
}

interface Refusal {
  name: string;
  words: string;
  /** Where the journal may have told the same trouble in other words before. */
  inJournal?: string;
  hint: string;
  /** How it comes to it, and how that is mended; both by a superuser. */
  sql?(of: Refusable): [cause: string, mend: string];
  within?(of: Refusable): [cause: string, mend: string];
}

const REFUSALS: readonly Refusal[] = [
  {
    name: "has too many connections",
    words: "the database has too many connections",
    hint: "Raise max_connections, or let store.url name a pooler",
    sql: ({ database }) => [
      `ALTER DATABASE ${database} CONNECTION LIMIT 0`,
      `ALTER DATABASE ${database} CONNECTION LIMIT -1`,
    ],
  },
  {
    name: "only reads",
    words: "the database only reads: it is a standby, or was made read-only",
    hint: "Let store.url name the primary.",
    sql: ({ user }) => [
      `ALTER ROLE ${user} SET default_transaction_read_only = on`,
      `ALTER ROLE ${user} RESET default_transaction_read_only`,
    ],
  },
  {
    name: "does not take the user",
    words: "the database takes this user or password for none of its own",
    hint: "Look at the user in store.url, and at the password in PGPASSFILE or ~/.pgpass.",
    sql: ({ user }) => [`ALTER ROLE ${user} NOLOGIN`, `ALTER ROLE ${user} LOGIN`],
  },
  {
    name: "is renamed",
    words: "the database's server has no database of that name",
    hint: "Have it made by CREATE DATABASE, or correct store.url.",
    sql: ({ database }) => [
      `ALTER DATABASE ${database} RENAME TO ${database}_away`,
      `ALTER DATABASE ${database}_away RENAME TO ${database}`,
    ],
  },
  {
    name: "takes nobody in for a while",
    words: "is not currently accepting connections",
    hint: "Look at its own log; serve tries again by itself, a command has to be run again.",
    sql: ({ database }) => [
      `ALTER DATABASE ${database} ALLOW_CONNECTIONS false`,
      `ALTER DATABASE ${database} ALLOW_CONNECTIONS true`,
    ],
  },
  {
    name: "permits its user the schema no more",
    words: "the database does not permit this user what is to be done",
    hint: "store grants",
    within: ({ user }) => [`REVOKE ALL ON SCHEMA jc FROM ${user}`, `GRANT ALL ON SCHEMA jc TO ${user}`],
  },
  {
    name: "gives up on statements that take too long",
    words: "the database gave up on a statement that took too long",
    hint: "Raise statement_timeout of its role",
    within: ({ user }) => [
      `ALTER ROLE ${user} SET statement_timeout = 400; CREATE RULE slow AS ON INSERT TO jc.events DO ALSO SELECT pg_sleep(60)`,
      `ALTER ROLE ${user} RESET statement_timeout; DROP RULE slow ON jc.events`,
    ],
  },
  {
    name: "ends the session within each commit",
    words: "the database ended the connection",
    inJournal: "the log cannot be used: all waits until it can",
    hint: "Start it again where it was stopped",
    within: () => [
      "CREATE RULE ends AS ON INSERT TO jc.events DO ALSO SELECT pg_terminate_backend(pg_backend_pid())",
      "DROP RULE ends ON jc.events",
    ],
  },
];

describeWithPostgres("a service whose database", () => {
  test.each(REFUSALS)(
    "$name answers 503, says why, and takes the sender's next try once it is mended",
    async (refusal) => {
      const { sql, within } = refusal;
      const server = await postgresServer();
      const serve = await refusable(server, await server.database());
      const [run, [cause, mend]] = sql
        ? [serve.sql, sql(serve)]
        : [serve.within, within?.(serve) ?? ["", ""]];
      // What is renamed has nobody in it.
      const end = () => serve.sql(ending(serve));
      const tried = async (statement: string) => {
        await end();
        return await run(statement).then(
          () => true,
          () => false,
        );
      };
      const done = (statement: string) => until(statement, () => tried(statement));
      await done(cause);
      await end();
      await refusesUntil(serve, {
        ...refusal,
        mend: async () => {
          await done(mend);
          await end();
        },
      });
    },
  );

  test("has another password by now waits for it to be in its file, and shows none", async () => {
    const server = newPostmaster(["fsync=off", "password_encryption=scram-sha-256"]);
    const hba = join(server.directory, "data/pg_hba.conf");
    writeFileSync(hba, `local postgres app_postgres scram-sha-256\n${readFileSync(hba, "utf8")}`);
    await server.start();
    const passwords = join(temporaryDirectory(), "pgpass");
    writeFileSync(passwords, "*:*:*:*:first\n", { mode: 0o600 });
    const serve = await refusable(server, server.urlOf("postgres"), { PGPASSFILE: passwords });
    await serve.sql(`ALTER ROLE ${serve.user} PASSWORD 'second'`);
    await serve.sql(ending(serve));
    await refusesUntil(serve, {
      words: "the database takes this user or password for none of its own",
      hint: "Look at the user in store.url, and at the password in PGPASSFILE or ~/.pgpass.",
      mend: async () => {
        writeFileSync(passwords, "");
        await until("it misses one", async () =>
          (await serve.world.run(["status"])).err.includes("wants a password, and none was found"),
        );
        appendFileSync(passwords, "*:*:*:*:second\n");
      },
    });
    expect(serve.running.err()).not.toMatch(/first|second/);
  });

  test("is a standby waits until it is promoted; one that answers nobody is told apart", async () => {
    const primary = newPostmaster(["fsync=off"]);
    await primary.start();
    const standby = standbyOf(primary, ["fsync=off"]);
    await standby.start();
    const world = await connected({ env: { JC_STORE_URL: primary.urlOf("postgres") } });
    const following = "SELECT to_regclass('jc.schema_version') IS NOT NULL AS has";
    await until("it follows", async () => {
      const [row] = await asked(standby.urlOf("postgres"), following);
      return Object(row).has;
    });
    world.env = { ...world.env, JC_STORE_URL: standby.urlOf("postgres") };
    const serve = await serving(world, { env: { JC_STORE_URL: standby.urlOf("postgres") } });
    const run: World["run"] = (argv, options) =>
      world.run(argv, { ...options, env: { JC_STORE_URL: standby.urlOf("postgres") } });
    await refusesUntil(
      { ...serve, world: { ...world, run } },
      {
        words: "the database only reads: it is a standby",
        hint: "Let store.url name the primary.",
        mend: async () => {
          await primary.end("SIGQUIT");
          await asked(standby.urlOf("postgres"), "SELECT pg_promote()");
        },
      },
    );
  });

  testWithMounts(
    "has a full disk answers 503, and takes the sender's next try once there is room",
    async () => {
      const small = temporaryDirectory();
      const within = onFileSystem(small, "size=24m,mode=777", `mkdir -m 777 "$0/space"`);
      const server = newPostmaster(["fsync=off", "autovacuum=off"], { within });
      await server.start();
      const admin = server.urlOf("postgres");
      await asked(admin, `COPY (SELECT 1) TO PROGRAM 'chmod 700 ${small}/space; mkdir ${small}/space/jc'`);
      await asked(admin, `CREATE TABLESPACE small LOCATION '${small}/space/jc'`);
      await asked(admin, "CREATE DATABASE log TABLESPACE small");
      const serve = await refusable(server, server.urlOf("log"));
      const fill = join(small, "space/fill");
      await asked(admin, `COPY (SELECT 1) TO PROGRAM 'dd if=/dev/zero of=${fill} bs=4k 2>/dev/null || true'`);
      await until("it is full", async () => (await serve.post(invite())).status === 503);
      await refusesUntil(serve, {
        words: "the database's disk is full",
        hint: "Make room for it",
        mend: async () => void (await asked(admin, `COPY (SELECT 1) TO PROGRAM 'rm ${fill}'`)),
      });
    },
  );
});
