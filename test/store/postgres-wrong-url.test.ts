/** A URL, a password or a certificate that is wrong, as who just wrote it meets it: the built program, and a real server. */
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../directory.ts";
import { launch } from "../end-to-end/program.ts";
import { freePort, freshWorld, type World } from "../world.ts";
import { newPostmaster } from "./postmaster.ts";
import { asked, describeWithPostgres } from "./postgres-server.ts";

/** One that wants a password of the user `worker`, over TCP. */
async function guarded() {
  const port = await freePort();
  const server = newPostmaster(["fsync=off", "listen_addresses=127.0.0.1"], { port });
  const hba = join(server.directory, "data/pg_hba.conf");
  writeFileSync(hba, `host all worker 127.0.0.1/32 scram-sha-256\n${readFileSync(hba, "utf8")}`);
  await server.start();
  await asked(server.urlOf("postgres"), "CREATE ROLE worker LOGIN SUPERUSER PASSWORD 'right'");
  return `127.0.0.1:${port}`;
}

function passwordFile(password: string, mode = 0o600): string {
  const file = join(temporaryDirectory(), "pgpass");
  writeFileSync(file, `*:*:*:worker:${password}\n`);
  chmodSync(file, mode);
  return file;
}

const textFile = (text: string) => {
  const file = join(temporaryDirectory(), "ca.pem");
  writeFileSync(file, text);
  return file;
};

const over = (url: string, more: Record<string, string> = {}) => ({ JC_STORE_URL: url, ...more });
const CERTIFICATE = "-----BEGIN CERTIFICATE-----";

describeWithPostgres("what is wrong with the way to the database", () => {
  const WRONG: readonly {
    name: string;
    env(place: string): Record<string, string>;
    words: string;
    hint: string;
  }[] = [
    {
      name: "a parameter that stands elsewhere",
      env: (place) => over(`postgres://worker@${place}/postgres?port=abc`),
      words: "store.url has a parameter other than host and sslmode",
      hint: "The port stands behind the host",
    },
    {
      name: "a port that is none",
      env: () => over("postgres://worker@127.0.0.1:abc/postgres"),
      words: "store.url is no postgres URL",
      hint: "Write postgres://user@host:5432/database.",
    },
    {
      name: "an sslmode that there is not",
      env: (place) => over(`postgres://worker@${place}/postgres?sslmode=foo`),
      words: "store.url has another sslmode than verify-full or disable",
      hint: "Leave it out",
    },
    {
      name: "no database",
      env: (place) => over(`postgres://worker@${place}`),
      words: "store.url names no database",
      hint: "Write postgres://user@host:5432/database.",
    },
    {
      name: "no user",
      env: (place) => over(`postgres://${place}/postgres`),
      words: "store.url names no user",
      hint: "Write postgres://user@host:5432/database.",
    },
    {
      name: "a database that there is not",
      env: (place) => over(`postgres://worker@${place}/elsewhere`, { PGPASSFILE: passwordFile("right") }),
      words: "the database's server has no database of that name",
      hint: "Have it made by CREATE DATABASE, or correct store.url.",
    },
    {
      name: "a host that has no address",
      env: () => over("postgres://worker@db.invalid/postgres"),
      words: "its host's name is not known",
      hint: "Correct store.url, or look at the resolver.",
    },
    {
      name: "a port that nobody listens on",
      env: () => over("postgres://worker@127.0.0.1:1/postgres"),
      words: "nobody answers there (127.0.0.1:1)",
      hint: "Start it, or correct store.url",
    },
    {
      name: "a socket that there is not",
      env: () => over("postgres://worker@/postgres?host=/nowhere"),
      words: "nobody answers there",
      hint: "Start it, or correct store.url",
    },
    {
      name: "a wrong password",
      env: (place) => over(`postgres://worker@${place}/postgres`, { PGPASSFILE: passwordFile("wrong") }),
      words: "takes this user or password for none of its own",
      hint: "Look at the user in store.url, and at the password in PGPASSFILE or ~/.pgpass.",
    },
    {
      name: "no password",
      env: (place) => over(`postgres://worker@${place}/postgres`),
      words: "wants a password, and none was found",
      hint: "Write a line host:port:database:user:password into ~/.pgpass",
    },
    {
      name: "a file of passwords that others may read",
      env: (place) =>
        over(`postgres://worker@${place}/postgres`, { PGPASSFILE: passwordFile("right", 0o644) }),
      words: "other users may read or change that file",
      hint: "chmod 600 '/",
    },
    {
      name: "a user that there is not",
      env: (place) => over(`postgres://nobody@${place}/postgres`),
      words: "takes this user or password for none of its own",
      hint: "Look at the user in store.url",
    },
    {
      name: "a server without TLS",
      env: (place) => over(`postgres://worker@${place}/postgres?sslmode=verify-full`),
      words: "the database speaks no TLS",
      hint: "Turn ssl on there, or write ?sslmode=disable",
    },
    ...(
      [
        ["that there is not", () => "/nowhere/ca.pem", "there is no file /nowhere/ca.pem"],
        ["that is a directory", () => temporaryDirectory(), "is no file"],
        ["that holds none", () => textFile("no certificate\n"), "holds no certificate"],
        [
          "that is torn",
          () => textFile(`${CERTIFICATE}\nMIIB\n${CERTIFICATE.replace("BEGIN", "END")}\n`),
          "holds no certificate",
        ],
      ] as const
    ).map(([which, file, words]) => ({
      name: `a file of certificates ${which}`,
      env: (place: string) =>
        over(`postgres://worker@${place}/postgres?sslmode=verify-full`, { JC_STORE_CA_FILE: file() }),
      words,
      hint: words === "holds no certificate" ? "Let it name a file of PEM" : "Check store.ca_file",
    })),
  ];

  test("ends commands with 2 and says what is wrong, where, and what to do", async () => {
    const [place, world] = [await guarded(), await freshWorld()];
    const tried = WRONG.map(async ({ name, env, words, hint }) => {
      const there: World = { ...world, env: { ...world.env, ...env(place) } };
      const begunAt = performance.now();
      const { code, err } = await launch(there, ["run", "retry"]).ended;
      // Not by the server, which holds the place of a login that comes to no end for a minute.
      expect({ name, isSoon: performance.now() - begunAt < 40_000 }).toEqual({ name, isSoon: true });
      const said = err.replaceAll(/\s+/g, " ");
      expect({ name, code, said }).toEqual({ name, code: 2, said: expect.stringContaining(words) });
      expect({ name, said }).toEqual({ name, said: expect.stringContaining(`→ ${hint}`) });
      // No password is repeated.
      expect({ name, said }).not.toMatchObject({ said: expect.stringContaining(":worker:") });
    });
    await Promise.all(tried);
    const good = over(`postgres://worker@${place}/postgres`, { PGPASSFILE: passwordFile("right") });
    expect(await launch({ ...world, env: { ...world.env, ...good } }, ["run", "retry"]).ended).toMatchObject({
      code: 0,
    });
  });
});
