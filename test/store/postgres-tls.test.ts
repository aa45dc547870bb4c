/** TLS to the database: whom it is spoken with, and with whom not. */
import { chmodSync, copyFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { execFileSync } from "node:child_process";
import { postgresPlace } from "../../src/shared/store-url.ts";
import { openPostgresStore } from "../../src/store/postgres/postgres.ts";
import { type Issued, issued } from "../certificates.ts";
import { serving } from "../daemon/serving.ts";
import { connected, freePort, invite, until } from "../world.ts";
import { newPostmaster, type Postmaster } from "./postmaster.ts";
import { asServerUser, asked, describeWithPostgres } from "./postgres-server.ts";

const DAY_MS = 24 * 3_600_000;

/** The server's own files, which it reads anew when it is told to. */
function show({ directory }: Postmaster, { certFile, keyFile }: Issued): void {
  const [cert, key] = [join(directory, "data/server.crt"), join(directory, "data/server.key")];
  copyFileSync(certFile, cert);
  copyFileSync(keyFile, key);
  chmodSync(key, 0o640);
  const [command] = asServerUser("", []);
  // A key of root's may be read by the server's group.
  if (command !== "") execFileSync("chgrp", ["postgres", key]);
}

async function secured(pair: Issued) {
  const port = await freePort();
  const server = newPostmaster(["fsync=off", "ssl=on", "listen_addresses=localhost"], { port });
  show(server, pair);
  await server.start();
  return {
    server,
    port,
    urlAt: (host: string) => `postgres://jc@${host}:${port}/postgres?sslmode=verify-full`,
  };
}

const openedWith = async (options: { url: string; caFile?: string }) => {
  const store = await openPostgresStore(options);
  onTestFinished(() => store.close());
  return store;
};

describeWithPostgres("TLS to the database", () => {
  test("is spoken with a server for whom the authority in store.ca_file vouches, by its name or address", async () => {
    const authority = issued({ names: ["authority.example"] });
    const { server, urlAt } = await secured(issued({ by: authority }));
    for (const host of ["localhost", "127.0.0.1"])
      await openedWith({ url: urlAt(host), caFile: authority.certFile });
    const sessions = `SELECT count(*) > 0 AS any, bool_and(s.ssl AND s.version IN ('TLSv1.2', 'TLSv1.3')) AS all
      FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.client_addr IS NOT NULL`;
    expect(await asked(server.urlOf("postgres"), sessions)).toEqual([{ any: true, all: true }]);
  });

  const own = () => issued({ names: ["authority.example"] });
  const UNKNOWN = "is not to be trusted: nobody known here vouches for it";
  test.each([
    {
      name: "that nobody known here vouches for",
      made: (by: Issued) => ({ pair: issued({ by }), caFile: "" }),
      words: UNKNOWN,
      hint: "Let store.ca_file name the certificate of who does.",
    },
    {
      name: "that another authority vouches for",
      made: (by: Issued) => ({ pair: issued({ by }), caFile: own().certFile }),
      words: UNKNOWN,
      hint: "Let store.ca_file name the certificate of who does.",
    },
    {
      name: "of another host",
      made: (by: Issued) => ({ pair: issued({ by, names: ["db.example"] }), caFile: by.certFile }),
      words: "is another host's than the one in store.url",
      hint: "Let store.url name a host that stands in it",
    },
    {
      name: "that has expired",
      made: (by: Issued) => ({
        pair: issued({ by, from: Date.now() - 9 * DAY_MS, until: Date.now() - DAY_MS }),
        caFile: by.certFile,
      }),
      words: "has expired, or is not valid yet",
      hint: "Have it renewed there",
    },
  ])("is not spoken with a server whose certificate is one $name", async ({ made, words, hint }) => {
    const { pair, caFile } = made(own());
    const { urlAt } = await secured(pair);
    await expect(openedWith({ url: urlAt("localhost"), caFile })).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining(`the database's certificate ${words}`),
      hint: expect.stringContaining(hint),
    });
  });

  test("goes on once an expired certificate is renewed, without a restart of the service", async () => {
    const authority = own();
    const old = issued({ by: authority, from: Date.now() - 9 * DAY_MS, until: Date.now() - DAY_MS });
    const { server, urlAt } = await secured(issued({ by: authority }));
    const settings = { JC_STORE_URL: urlAt("localhost"), JC_STORE_CA_FILE: authority.certFile };
    const world = await connected({ env: settings });
    const reload = () => asked(server.urlOf("postgres"), "SELECT pg_reload_conf()");
    show(server, old);
    await reload();
    await until("it shows the old one", async () => (await world.run(["status"])).code === 2);
    const { post } = await serving(world);
    const event = invite();
    expect((await post(event)).status).toBe(503);
    expect((await world.run(["status"])).err).toContain("the database's certificate has expired");
    show(server, issued({ by: authority }));
    await reload();
    await until("it is taken", async () => (await post(event)).status === 202);
  });

  test.each(["require", "prefer", "allow", "verify-ca", "no-verify"])(
    "cannot be weakened by sslmode=%s",
    (mode) => {
      expect(() => postgresPlace(`postgres://jc@db.example/log?sslmode=${mode}`, "store.url")).toThrow(
        /another sslmode than verify-full or disable/,
      );
    },
  );
});
