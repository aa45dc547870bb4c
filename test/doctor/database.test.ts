/** What doctor says of how the database's server is set up. */
import { describe, expect, test } from "vitest";
import { databaseFindings, databaseWords } from "../../src/flows/doctor/checks/database.ts";
import type { DatabaseLook } from "../../src/store/contract/database-look.ts";
import { asked, describeWithPostgres, postgresServer, takenAway } from "../store/postgres-server.ts";
import { newPostmaster, standbyOf } from "../store/postmaster.ts";
import { connected, freshWorld, until } from "../world.ts";

const GOOD: DatabaseLook = { version: "16.2", major: 16, unsafe: [], followers: 0, isSynchronous: false };

describe("a database", () => {
  test("that is older than what was tried is a fault", () => {
    expect(databaseFindings({ ...GOOD, version: "13.9", major: 13 })).toMatchObject([
      { id: "store.version", level: "error", what: expect.stringContaining("PostgreSQL 13.9") },
    ]);
    expect(databaseFindings({ ...GOOD, version: "14.0", major: 14 })).toEqual([]);
  });

  test("without a standby, and one whose standby commits wait for, have nothing to be done", () => {
    expect(databaseFindings(GOOD)).toEqual([]);
    expect(databaseWords(GOOD)).toContain("no standby that commits wait for");
    const followed = { ...GOOD, followers: 1, isSynchronous: true };
    expect(databaseFindings(followed)).toEqual([]);
    expect(databaseWords(followed)).toContain("what is acknowledged is there too");
  });
});

describeWithPostgres("doctor", () => {
  test("says whether commits wait for a standby, whether one is there, and what a server of speed before safety risks", async () => {
    const server = newPostmaster(["full_page_writes=off"]);
    await server.start();
    const url = server.urlOf("postgres");
    const world = await freshWorld({ env: { JC_STORE_URL: url } });
    await world.run(["run", "retry"]);
    const doctor = async () => (await world.run(["doctor"])).out;
    expect(await doctor()).toContain("The database runs with full_page_writes off");

    const standby = standbyOf(server, []);
    await standby.start();
    const followers = async () =>
      Object((await asked(url, "SELECT count(*)::int AS n FROM pg_stat_replication"))[0]).n;
    await until("it follows", async () => (await followers()) === 1);
    expect(await doctor()).toContain("A standby follows the database, and commits do not wait for it");

    await asked(url, "ALTER SYSTEM SET synchronous_standby_names = '*'");
    await asked(url, "ALTER SYSTEM SET full_page_writes = on");
    await server.end("SIGINT");
    await server.start(["full_page_writes=on"]);
    await until("it follows again", async () => (await followers()) === 1);
    expect(await doctor()).toMatch(/^Well: .*store/m);

    await standby.end("SIGINT");
    await until("it follows no more", async () => (await followers()) === 0);
    expect(await doctor()).toContain(
      "Commits wait for a standby (synchronous_standby_names), and none follows",
    );
  });
});

describeWithPostgres("doctor without its database", () => {
  test("claims nothing of what only the log knows", async () => {
    const url = await (await postgresServer()).database();
    const world = await connected({ env: { JC_STORE_URL: url } });
    const back = await takenAway(url);
    const { code, out } = await world.run(["doctor"]);
    await back();
    expect(code).toBe(2);
    expect(out).toContain("the log could not be read");
    expect(out).not.toMatch(/not connected|none runs|nobody sends/);
    expect((await world.run(["doctor"])).out).toContain("No service runs");
  });
});
