/** A role that may do what `store grants` prints: all that serve does, and nothing to the tables themselves. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { DATABASE_SCHEMAS } from "../../src/core/advice/grants.ts";
import { openPostgresStore } from "../../src/store/postgres/postgres.ts";
import { NOON } from "../core/example.ts";
import { allDelivered, launch, launchService, sendUntilTaken } from "../end-to-end/program.ts";
import { connected, freshWorld, invite, until, type World } from "../world.ts";
import { DELIVERED } from "./contract/delivering.ts";
import { anEvent, connect } from "./events.ts";
import { fillLog } from "./large-log.ts";
import { claimsOf } from "./looks.ts";
import { asked, describeWithPostgres, postgresServer } from "./postgres-server.ts";
import { rowsIn } from "../vault/world.ts";
import { pushOf } from "./world.ts";

/** A database that two roles of its own know: who owns the tables, and who works on them. */
async function twoRoles() {
  const server = await postgresServer();
  const url = await server.database();
  const [owner, worker] = ["owner", "worker"].map((name) => `${name}_${randomBytes(4).toString("hex")}`);
  const as = (role = "") => url.replace("//jc@", `//${role}@`);
  for (const role of [owner, worker]) await asked(url, `CREATE ROLE ${role} LOGIN`);
  onTestFinished(async () => {
    for (const role of [worker, owner]) await asked(url, `DROP OWNED BY ${role} CASCADE`);
    await asked(url, `DROP ROLE ${owner}, ${worker}`);
  });
  await asked(
    url,
    `GRANT CREATE ON DATABASE ${new URL(as("x").replace("@/", "@h/")).pathname.slice(1)} TO ${owner}`,
  );
  return { url, owner: as(owner), worker: as(worker), role: worker ?? "" };
}

async function program(world: World, argv: readonly string[]) {
  const { code, out, err } = await launch(world, argv).ended;
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return out;
}

/** What the owner types: its tables, and the rights to them. */
async function granted() {
  const roles = await twoRoles();
  const world = await freshWorld({ env: { JC_STORE_URL: roles.owner } });
  expect(await program(world, ["store", "migrate"])).toContain("are those of this version");
  const sql = await program(world, ["store", "grants", "--role", roles.role]);
  // As an operator does it; psql stops at the first that is refused.
  execFileSync("psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", roles.owner], { input: sql });
  return roles;
}

describeWithPostgres("store grants", () => {
  test("names every schema that we make", async () => {
    const url = await (await postgresServer()).database();
    await (await openPostgresStore({ url })).close();
    const rows = rowsIn(url);
    await rows.prepare();
    await rows.close();
    const made = await asked(
      url,
      "SELECT nspname AS name FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public') ORDER BY 1",
    );
    expect(DATABASE_SCHEMAS.map(({ name }) => ({ name }))).toEqual(made);
  });

  test("are wanted of whoever may make no tables, by the line that a superuser types, also before a copy", async () => {
    const { worker, role, url } = await twoRoles();
    const world = await freshWorld();
    await program(world, ["run", "retry"]);
    const there: World = { ...world, env: { ...world.env, JC_STORE_URL: worker } };
    const database = new URL(url.replace("@/", "@h/")).pathname.slice(1);
    const grant = `GRANT CREATE ON DATABASE ${database} TO`;
    for (const [asked, argv, user] of [
      [there, ["store", "migrate"], "<the tables' owner>"],
      [world, ["store", "copy", "--to", worker], "<the tables' owner>"],
      [world, ["store", "copy", "--to", worker, "--dry-run"], role],
    ] as const) {
      const { code, err } = await launch(asked, argv).ended;
      expect({ argv, code, err: err.replaceAll(/\s+/g, " ") }).toEqual({
        argv,
        code: 2,
        err: expect.stringContaining(`${grant} ${user}`),
      });
    }
    for (const argv of [["status"], ["doctor"]]) {
      const { code, out, err } = await launch(there, argv).ended;
      const said = `${out} ${err}`.replaceAll(/\s+/g, " ");
      expect(said).toContain("does not permit this user to make the log's tables");
      expect(said).toContain(`${grant} <the tables' owner>`);
      expect(code).not.toBe(0);
    }
  });

  test("do not let anybody in whom the database keeps out, who hears the line that does", async () => {
    const { worker, url } = await twoRoles();
    const database = new URL(url.replace("@/", "@h/")).pathname.slice(1);
    await asked(url, `REVOKE CONNECT ON DATABASE ${database} FROM PUBLIC`);
    const world = await freshWorld({ env: { JC_STORE_URL: worker } });
    const { code, err } = await launch(world, ["run", "retry"]).ended;
    expect({ code, err: err.replaceAll(/\s+/g, " ") }).toEqual({
      code: 2,
      err: expect.stringMatching(`does not let this user in .*GRANT CONNECT ON DATABASE ${database} TO`),
    });
  });

  test("lets a role append, claim and settle, and refuses it all that is not asked of it", async () => {
    const { worker } = await granted();
    const store = await openPostgresStore({ url: worker });
    onTestFinished(() => store.close());
    const { id: connectionId } = await connect(store);
    await store.append([anEvent("completed")]);
    const [claim] = await claimsOf(store, { connectionId, limit: 1, now: NOON });
    if (!claim) throw new Error("nothing is due");
    await store.settle([{ claim, now: NOON, outcome: DELIVERED }]);
    expect(await pushOf(store)).toMatchObject({ state: "delivered" });
    for (const statement of [
      "DROP TABLE jc.events",
      "TRUNCATE jc.events",
      "ALTER TABLE jc.events ADD COLUMN more text",
      "CREATE TABLE jc.more (n integer)",
      "CREATE SCHEMA more",
      "UPDATE jc.clock_offset SET ms = 1",
      "UPDATE jc.schema_version SET version = 99",
      "SELECT setval('jc.versions', 1)",
    ])
      await expect(asked(worker, statement), statement).rejects.toThrow(/permission denied|must be owner/);
  });

  test("reaches what a later migration of the owner's makes", async () => {
    const { owner, worker } = await granted();
    await asked(owner, "CREATE TABLE jc.later (id bigint GENERATED BY DEFAULT AS IDENTITY, n integer)");
    await asked(worker, "INSERT INTO jc.later (id, n) VALUES (nextval('jc.later_id_seq'), 7)");
    expect(await asked(worker, "SELECT n FROM jc.later")).toEqual([{ n: 7 }]);
  });

  test("is enough for connect and serve of the built program, from a webhook to the contact", async () => {
    const { worker } = await granted();
    const world = await connected({ env: { JC_STORE_URL: worker } });
    const service = await launchService(world);
    await sendUntilTaken(service.url, invite({ email: "ann@example.org" }), "msg_granted");
    await allDelivered(world);
    expect(Object.keys(await world.portal.contacts())).toEqual(["ann@example.org"]);
    for (const job of ["sweep", "retention", "refresh"]) await program(world, ["run", job]);
    service.child.kill("SIGTERM");
    expect(await service.ended).toMatchObject({ code: 0 });
  });

  test("a role without them, where the tables are missing, hears whom to ask for them", async () => {
    const { worker } = await twoRoles();
    const world = await freshWorld({ env: { JC_STORE_URL: worker } });
    const { code, err } = await world.run(["run", "retry"]);
    expect(code).toBe(2);
    expect(err).toContain("jc-integrations store migrate");
    expect(err).toContain("jc-integrations store grants --role <role>");
  });

  test("a role without them hears of a copy that is half done, and how its owner finishes it", async () => {
    const { owner, worker } = await twoRoles();
    const file = await freshWorld();
    await program(file, ["run", "retry"]);
    fillLog(file.stateDir, 12_000);
    const copying = launch(file, ["store", "copy", "--to", owner]);
    const copied = async () =>
      await asked(owner, "SELECT 1 FROM jc.events LIMIT 1").then(
        (rows) => rows.length > 0,
        () => false,
      );
    await until("some rows are there", copied);
    copying.child.kill("SIGKILL");
    await copying.ended;
    const world = await freshWorld({ env: { JC_STORE_URL: worker } });
    const all = [["status"], ["doctor"], ["logs"], ["run", "retry"], ["secrets", "list"], ["serve"]];
    for (const argv of all) {
      const { code, out, err } = await launch(world, argv).ended;
      const said = (out + err).replaceAll(/\s+/g, " ").replaceAll('"', "'");
      expect({ argv, code, said }).toEqual({
        argv,
        code: 2,
        said: expect.stringContaining(`half of a copy: ${join(file.stateDir, "log.db")} is being copied`),
      });
      expect(said).toContain(`jc-integrations store copy --to '${owner}'`);
      expect(said).not.toContain("store grants");
    }
    expect(await launch(file, ["store", "copy", "--to", owner]).ended).toMatchObject({ code: 0 });
    const { code, err } = await launch(world, ["run", "retry"]).ended;
    expect({ code, err: err.replaceAll(/\s+/g, " ") }).toEqual({
      code: 2,
      err: expect.stringContaining("jc-integrations store grants --role <role>"),
    });
  });

  test("a name is a name, whatever stands in it", async () => {
    const world = await freshWorld();
    const { out } = await world.run(["store", "grants", "--role", 'a"; DROP SCHEMA jc; --']);
    expect(out).toContain('GRANT USAGE ON SCHEMA jc TO "a""; DROP SCHEMA jc; --";');
    expect(await world.run(["store", "grants", "--role", ""])).toMatchObject({ code: 2 });
    expect((await world.run(["store", "grants", "--role", "jc_serve", "--json"])).json).toMatchObject({
      version: 1,
      role: "jc_serve",
    });
  });
});
