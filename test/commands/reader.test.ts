/** What somebody met who read the built program's words and believed them. */
import { appendFileSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { launch, launchService, send } from "../end-to-end/program.ts";
import { connected, freshWorld, invite, prepared, until, type World } from "../world.ts";

const run = (world: World, ...argv: string[]) => launch(world, argv).ended;

describe("a log that is gone", () => {
  test("leaves it open who is connected, and no connect is advised", async () => {
    const world = await connected();
    renameSync(join(world.stateDir, "log.db"), join(world.dir, "gone.db"));
    for (const beside of ["log.db-wal", "log.db-shm"]) rmSync(join(world.stateDir, beside), { force: true });
    const { code, out } = await run(world, "status");
    expect(code).toBe(2);
    expect(out).toContain("the log cannot be read: what is connected is not known");
    expect(out).toContain("[Not known]");
    expect(out).not.toContain("Not connected");
    expect(out).not.toContain("connect: jc-integrations connect");
  });

  test("is told no more once another was accepted, while serve still finds out", async () => {
    const world = await connected();
    const service = await launchService(world);
    expect((await send(service.url, invite(), { id: "msg_1" }))?.status).toBe(202);
    for (const name of ["log.db", "log.db-wal", "log.db-shm"])
      rmSync(join(world.stateDir, name), { force: true });
    await until("serve has noticed", async () => (await run(world, "status")).out.includes("another file"));
    const faults = join(world.stateDir, "serve-faults.json");
    await until("serve says so itself", async () => readFileSync(faults, "utf8").includes('"lost"'));
    service.child.kill("SIGSTOP");
    const told = readFileSync(faults);
    expect((await run(world, "store", "new-log", "--yes")).code).toBe(0);
    expect((await run(world, "status")).out).not.toContain("serve runs on another file");
    // A service that looked before the new log was accepted, and wrote what it saw afterwards.
    writeFileSync(faults, told);
    expect((await run(world, "status")).out).not.toContain("serve runs on another file");
    service.child.kill("SIGCONT");
    await until("serve has taken it up", async () => readFileSync(faults, "utf8").trim() === "");
    for (const name of ["log.db", "log.db-wal", "log.db-shm"])
      rmSync(join(world.stateDir, name), { force: true });
    await until("another loss is told", async () =>
      (await run(world, "status")).out.includes("serve runs on another file"),
    );
  });
});

describe("webhooks log", () => {
  test("shows who sent what, JobCannon's events among it", async () => {
    const world = await connected();
    const service = await launchService(world);
    expect((await send(service.url, invite(), { id: "msg_1" }))?.status).toBe(202);
    await fetch(`${service.url}/jobcannon/events`, { method: "POST", body: "{}" });
    await until("the refusal is counted", async () =>
      /refused/.test((await run(world, "webhooks", "log")).out),
    );
    const { out } = await run(world, "webhooks", "log");
    expect(out).toMatch(/taken +msg_1 .* jobcannon/);
    expect(out).toMatch(/refused .* jobcannon/);
  });

  test("names all that send where a vendor is none", async () => {
    const world = await prepared();
    const { code, err } = await run(world, "webhooks", "log", "--vendor", "nonsense");
    expect(code).toBe(2);
    expect(err).toContain("there is no vendor nonsense");
    expect(err).toContain("Senders: smartrecruiters, jobcannon");
  });
});

describe("the configuration", () => {
  test("with several faults says of one how many more there are, and what shows them", async () => {
    const world = await prepared();
    appendFileSync(world.configFile, '\n[log]\nlevel = "loud"\nformat = "pretty"\n');
    const { code, err } = await run(world, "status");
    expect(code).toBe(2);
    expect(err).toContain("There is more that is wrong; all of it: jc-integrations config check");
  });

  test("that is nowhere says what is missing for a first connect", async () => {
    const world = await freshWorld({ env: { JC_CONFIG: "", HOME: "/nowhere", XDG_CONFIG_HOME: "/nowhere" } });
    const { code, out } = await run(world, "config", "check");
    expect(code).toBe(0);
    expect(out).toContain("(not there)");
    expect(out).toContain(
      "nothing can be connected before hubspot.client_id or smartrecruiters.client_id is set",
    );
    expect(out).not.toContain("Nothing is wrong");
  });

  test("that JC_CONFIG names and nobody finds is an error that names both ways", async () => {
    const world = await freshWorld({ env: { JC_CONFIG: "/nowhere/config.toml" } });
    const { code, err } = await run(world, "status");
    expect(code).toBe(2);
    expect(err).toContain("/nowhere/config.toml cannot be read");
    expect(err).toContain("JC_CONFIG");
  });
});

test("a secret for an org that nothing knows is set, and said", async () => {
  const world = await connected();
  const set = async (org: string) =>
    await launch(world, ["secrets", "set", "hubspot.client-secret", "--org", org, "--file", file]).ended;
  const file = join(world.dir, "secret");
  writeFileSync(file, "a secret of the org's own app");
  expect((await set("acme")).err).not.toContain("nothing is known");
  const mistyped = await set("acmee");
  expect(mistyped.code).toBe(0);
  expect(mistyped.err).toContain(
    "nothing is known of the org acmee yet. Those that have something here: acme.",
  );
});

test("an alert that no chat is configured for ends with 2, as what to set is ours", async () => {
  const world = await connected();
  await world.portal.fault({ revoked: true });
  await run(world, "resync-properties", "--yes");
  const { code, err } = await run(world, "run", "alerts");
  expect(code).toBe(2);
  expect(err).toContain("no Telegram chat is configured for acme");
});

test("the event that the documents show is taken, on one line as they say", async () => {
  const text = readFileSync(new URL("../../docs/events.md", import.meta.url), "utf8");
  const shown = /```json\n(.*?)```/s.exec(text)?.[1] ?? "";
  const world = await prepared();
  const path = world.file("events.ndjson", [JSON.parse(shown)]);
  const { code, out } = await run(world, "invites", "import", path);
  expect(code).toBe(0);
  expect(out).toContain("1 event read: 1 stored");
  expect(text).toContain("broken into\nseveral lines here for reading");
});

test("how long connect waits stands in its help, also for --no-input", async () => {
  const world = await freshWorld();
  expect((await run(world, "connect", "--help")).out).toContain(
    "It waits 5 minutes for the consent, also with --no-input",
  );
});
