/** A service whose database is away, or not to be used, when it starts. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { faultsIn } from "../docs/schemas.ts";
import { serving } from "../daemon/serving.ts";
import { launch, launchService, send, sendUntilTaken } from "../end-to-end/program.ts";
import { connected, freshWorld, invite, prepared, until } from "../world.ts";
import { newPostmaster, type Postmaster } from "./postmaster.ts";
import { asked, describeWithPostgres, postgresServer } from "./postgres-server.ts";

/** The server's processes take connections, and do nothing with them, until the function is called that this gives back. */
function frozen({ directory }: Postmaster): () => void {
  const [pid = ""] = readFileSync(join(directory, "data/postmaster.pid"), "utf8").split("\n");
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
  const all = [pid, ...children].map(Number);
  const tell = (signal: "SIGSTOP" | "SIGCONT") => {
    // Whose session has ended is gone.
    for (const each of all) if (existsSync(`/proc/${each}`)) process.kill(each, signal);
  };
  tell("SIGSTOP");
  return () => tell("SIGCONT");
}

describeWithPostgres("a database that goes away and comes back", () => {
  test("is seen to be back by who went on looking meanwhile, also where the first look met nobody", async () => {
    const server = newPostmaster(["fsync=off"]);
    await server.start();
    const world = await connected({ env: { JC_STORE_URL: server.urlOf("postgres") } });
    await server.end("SIGINT");
    const watching = launch(world, ["status", "--watch", "--json"]);
    await until("it meets nobody", () => watching.out().includes("nobody answers there"));
    expect(watching.out()).toContain('"isLogRead":false');
    await server.start();
    await until("it sees the log", () => watching.out().includes('"isLogRead":true'));
    watching.child.kill("SIGINT");
    await watching.ended;
  });

  test.each(["SIGINT", "SIGQUIT"] as const)(
    "is one trouble in the journal, whatever is met of it meanwhile: %s",
    async (signal) => {
      const server = newPostmaster(["fsync=off"]);
      await server.start();
      const world = await connected({ env: { JC_STORE_URL: server.urlOf("postgres") } });
      const service = await launchService(world);
      await sendUntilTaken(service.url, invite(), "msg_before");
      const senders = new AbortController();
      const sending = (async () => {
        while (!senders.signal.aborted) await send(service.url, invite());
      })();
      await server.end(signal);
      await until("nobody answers", async () =>
        (await world.run(["status"])).err.includes("nobody answers there"),
      );
      await until("it is told", () => /error/.test(service.err()));
      await server.start();
      await until("it is taken", async () => (await send(service.url, invite()))?.status === 202);
      senders.abort();
      await sending;
      await until("its end is told", () => /the log can be used/.test(service.err()));
      const told = service.err().match(/ (error|warn) .*/g) ?? [];
      expect(told, told.join("\n")).toHaveLength(1);
    },
  );

  test("that takes connections and says nothing is one trouble, and is told as what it is", async () => {
    const server = newPostmaster(["fsync=off"]);
    await server.start();
    const world = await connected({ env: { JC_STORE_URL: server.urlOf("postgres") } });
    const service = await launchService(world);
    const thaw = frozen(server);
    onTestFinished(thaw);
    await until("a webhook is refused", async () => (await send(service.url, invite()))?.status === 503);
    const elsewhere = { ...world, env: { ...world.env, JC_STATE_DIR: join(world.dir, "another-machine") } };
    const seen = await Promise.all(
      [world, elsewhere].flatMap((place) =>
        [["status"], ["doctor"], ["logs"], ["secrets", "list"]].map(async (argv) => ({
          argv,
          ...(await launch(place, argv).ended),
        })),
      ),
    );
    for (const { argv, code, out, err } of seen) {
      const said = (out + err).replaceAll(/\s+/g, " ");
      expect({ argv, code, said, times: said.match(/the database does not answer/gi)?.length }).toEqual({
        argv,
        code: argv[0] === "secrets" ? 5 : 2,
        said: expect.stringContaining("Look at it, and at the network"),
        times: 1,
      });
      expect(said).not.toMatch(/was lost|2 faults|Nothing is to be done/);
    }
    expect(seen.filter(({ argv }) => argv[0] === "doctor").map(({ err }) => err.trim())).toEqual([
      "Error: 1 fault: store",
      "Error: 1 fault: store",
    ]);
    thaw();
    await sendUntilTaken(service.url, invite(), "msg_thawed");
  });
});

describeWithPostgres("a service that starts while its database is away", () => {
  test("listens, refuses webhooks with the reason told, and goes on by itself once the database is there", async () => {
    const server = newPostmaster(["fsync=off"]);
    await server.start();
    const world = await connected({ env: { JC_STORE_URL: server.urlOf("postgres") } });
    await server.end("SIGINT");

    const { post, get, running } = await serving(world);
    const event = invite();
    expect((await post(event)).status).toBe(503);
    expect(await get("/readyz")).toMatchObject({ status: 503, body: expect.stringContaining("storage") });
    const told = await world.run(["status"]);
    expect(told).toMatchObject({ code: 2, err: expect.stringContaining("nobody answers there") });
    expect(told.err).toContain("Start it, or correct store.url");
    expect(running.err()).toMatch(/the store refuses webhooks and deliveries .*nobody answers there/);

    await server.start();
    await until("it is taken", async () => (await post(event)).status === 202);
    await until("it is delivered", async () => event.data.candidate.email in (await world.portal.contacts()));
    await until("it is ready", async () => (await get("/readyz")).status === 200);
    expect((await world.run(["status"])).code).toBe(0);
    expect(running.err()).toContain("the log can be used: all goes on");
  });

  test("makes the log once the database is there, where there was none", async () => {
    const server = newPostmaster(["fsync=off"]);
    await server.start();
    const world = await prepared({ env: { JC_STORE_URL: server.urlOf("postgres") } });
    await asked(server.urlOf("postgres"), "DROP SCHEMA IF EXISTS jc CASCADE");
    await server.end("SIGINT");
    const { post } = await serving(world);
    expect((await post(invite())).status).toBe(503);
    await server.start();
    await until("it is taken", async () => (await post(invite())).status === 202);
  });

  test("does not wait for what a newer program wrote", async () => {
    const url = await (await postgresServer()).database();
    const world = await freshWorld({ env: { JC_STORE_URL: url } });
    expect((await world.run(["run", "retry"])).code).toBe(0);
    await asked(url, "UPDATE jc.schema_version SET version = version + 1");
    expect(await world.run(["serve"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("written by a newer jc-integrations"),
    });
  });

  test("and it and all commands say so once, with what to do, and end with 2", async () => {
    const server = newPostmaster(["fsync=off"]);
    const world = await freshWorld({ env: { JC_STORE_URL: server.urlOf("postgres") } });
    const words = /the database cannot be reached: nobody answers there/gi;
    const service = await launchService(world);
    const argvs = [
      ["status"],
      ["doctor"],
      ["replay", "--status", "rejected"],
      ["logs"],
      ["run", "retry"],
      ["connect", "hubspot"],
    ];
    for (const argv of argvs) {
      const { code, out, err } = await launch(world, argv).ended;
      const said = out + err;
      expect({ argv, code, times: said.match(words)?.length, said }).toEqual({
        argv,
        code: 2,
        times: 1,
        said,
      });
      expect(said.replaceAll(/\s+/g, " ")).toContain("Start it, or correct store.url");
    }
    const elsewhere = { ...world, env: { ...world.env, JC_STATE_DIR: join(world.dir, "another-machine") } };
    const seen = await Promise.all(
      [["status"], ["status", "--json"], ["doctor"]].map((argv) => launch(elsewhere, argv).ended),
    );
    // Nobody there can tell.
    for (const { out } of seen) expect(out).not.toMatch(/not running|does not run|none runs/);
    expect(seen[0]?.out).toContain("service not known");
    expect(faultsIn("status", JSON.parse(seen[1]?.out ?? ""))).toBe(null);
    expect(JSON.parse(seen[1]?.out ?? "")).toMatchObject({ service: "not known" });
    // It tells of itself beside the log, in a directory of its own.
    expect((await world.run(["status", "--json"])).json).toMatchObject({ service: "running" });
    service.child.kill("SIGTERM");
    const { err } = await service.ended;
    expect({ times: err.match(words)?.length, err }).toEqual({ times: 1, err });
  });
});
