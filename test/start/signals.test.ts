/** What ends the built program, and what does not: signals, and streams that cannot be written. */
import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import { launch, launchService, send, type Service } from "../end-to-end/program.ts";
import { connected, freshWorld, invite, sign, until, type World } from "../world.ts";

/** It takes an event, and is still there. */
async function expectAlive(service: Service): Promise<void> {
  expect((await send(service.url, invite()))?.status).toBe(202);
  expect(service.child.exitCode).toBeNull();
}

describe("a running service", () => {
  test.each(["SIGHUP", "SIGUSR1", "SIGUSR2", "SIGPIPE"] as const)(
    "without a terminal goes on after %s",
    async (signal) => {
      const service = await launchService(await connected());
      service.child.kill(signal);
      await expectAlive(service);
      expect(service.err()).not.toMatch(/[Dd]ebugger|inspector|stopping/);
    },
  );

  test.each(["SIGTERM", "SIGINT"] as const)("ends in order on %s", async (signal) => {
    const service = await launchService(await connected());
    service.child.kill(signal);
    expect(await service.ended).toMatchObject({ code: 0, err: expect.stringContaining("stopped") });
  });

  test.each(["SIGKILL", "SIGQUIT", "SIGABRT", "SIGSEGV"] as const)(
    "that ends by %s does not pass for one that was done",
    async (signal) => {
      const service = await launchService(await connected(), { shell: "ulimit -c 0" });
      service.child.kill(signal);
      expect(await service.ended).toMatchObject({ code: null, signal });
    },
  );

  test("reads log level and secrets anew on SIGHUP, and says what needs a restart", async () => {
    const world = await connected();
    const service = await launchService(world);
    setLogLevel(world, "warn");
    service.child.kill("SIGHUP");
    await until("it is silent", async () => {
      const before = service.err().length;
      await send(service.url, invite());
      await until("it is delivered", async () => (await world.run(["status", "--json"])).code === 0);
      return service.err().length === before;
    });
    appendFileSync(
      world.configFile,
      '\n[schedule]\nsweep_at = "03:00"\n[orgs.other]\nhubspot_tier = "paid"\n',
    );
    service.child.kill("SIGHUP");
    await until("it asks for a restart", () =>
      /restart needed .*keys="schedule.sweep_at orgs"/.test(service.err()),
    );
    const { out } = await world.run(["status"]);
    expect(out).toContain("! the configuration changed since serve started: restart serve");
  });

  test("asks for no restart once the configuration is back at what it runs with, whatever it looks like", async () => {
    const world = await connected();
    const service = await launchService(world);
    const advice = async () => Object((await world.run(["status", "--json"])).json).services[0].advice;
    const before = readFileSync(world.configFile, "utf8");
    const changed = `${before}\n[schedule]\nsweep_at = "03:00"\n`;
    const NEEDED = [expect.stringContaining("the configuration changed since serve started")];
    writeFileSync(world.configFile, changed);
    expect(await advice()).toEqual(NEEDED);
    writeFileSync(world.configFile, `# tried: sweep_at\n\n${before}\n`);
    expect(await advice()).toEqual([]);
    // Of a level that is taken at once nothing is left to do, also where the rest waits for a restart or is taken back.
    writeFileSync(world.configFile, changed);
    setLogLevel(world, "warn");
    service.child.kill("SIGHUP");
    await until("it asks for a restart", () => /restart needed .*schedule\.sweep_at/.test(service.err()));
    expect(await advice()).toEqual(NEEDED);
    writeFileSync(world.configFile, before);
    setLogLevel(world, "warn");
    await until("nothing is left to do", async () => (await advice()).length === 0);
    expect((await world.run(["doctor"])).out).not.toContain("restart serve");
  });

  test("keeps what it has where the configuration is no good any more, and says why", async () => {
    const world = await connected();
    const service = await launchService(world);
    appendFileSync(world.configFile, "\n[nonsense\n");
    service.child.kill("SIGHUP");
    await until("it says so", () =>
      /the configuration cannot be taken: it stays as it was .*this is no TOML/.test(service.err()),
    );
    await expectAlive(service);
  });

  test("says which version and which configuration it runs", async () => {
    const world = await connected();
    await launchService(world);
    const { json, out } = await world.run(["status", "--json"]);
    expect(out).not.toContain("restart");
    const { version, build } = JSON.parse(
      readFileSync(new URL("../../dist/build.json", import.meta.url), "utf8"),
    );
    expect(json).toMatchObject({
      services: [
        {
          version,
          build,
          advice: [],
          lostLines: 0,
          config: { file: world.configFile, digest: expect.any(String) },
        },
      ],
    });
  });
});

test.runIf(process.platform === "linux").each([[["run", "retention"]], [["status"]], [["logs"]]])(
  "Ctrl-C ends a command that is locked out of the log, while that lasts: %j",
  async (argv) => {
    const world = await connected();
    const holder = new Database(join(world.stateDir, "log.db"));
    onTestFinished(() => void holder.close());
    // Whoever only looks is locked out by this too.
    holder.pragma("locking_mode = EXCLUSIVE");
    holder.exec("BEGIN EXCLUSIVE");
    const { child, ended } = launch(world, argv);
    const opened = () =>
      readdirSync(`/proc/${child.pid}/fd`).some((each) => {
        try {
          return readlinkSync(`/proc/${child.pid}/fd/${each}`).endsWith("/log.db");
        } catch {
          return false;
        }
      });
    await until("it has the log open", opened);
    const askedAt = performance.now();
    child.kill("SIGINT");
    const { code, err } = await ended;
    console.log(`${argv.join(" ")} ended ${Math.round(performance.now() - askedAt)} ms after Ctrl-C`);
    expect({ code, err }).toMatchObject({ code: 130, err: expect.not.stringContaining("locked") });
    expect(holder.inTransaction).toBe(true);
  },
);

const hasScript = spawnSync("script", ["--version"]).status === 0;

test.skipIf(!hasScript)("a service at a terminal ends with it", async () => {
  const world = await connected();
  const pidFile = join(world.dir, "pid");
  const command = `echo $$ > '${pidFile}'; exec '${process.execPath}' bin/jc-integrations.js serve 2>'${world.dir}/log'`;
  const script = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
    env: { PATH: process.env.PATH, HOME: world.dir, TERM: "xterm", SHELL: "/bin/sh", ...world.env },
  });
  onTestFinished(() => void script.kill("SIGKILL"));
  const log = () => readFileSync(join(world.dir, "log"), "utf8");
  await until("it listens", () => existsSync(join(world.dir, "log")) && log().includes("listening"));
  script.kill("SIGKILL");
  await until("it ended in order", () => log().includes("stopped"));
});

describe("a log that cannot be written", () => {
  test.each([
    ["on a full disk", "exec 2>/dev/full"],
    ["that was closed at the start", "exec 2>&-"],
    ["as stdout was, and stdin", "exec >&- 2>&- <&-"],
  ])("%s ends nothing", async (_where, shell) => {
    const world = await connected();
    await serveOn(world, shell);
  });

  test("since its reader left ends nothing, and what is lost is counted in status", async () => {
    const world = await connected();
    const service = await launchService(world);
    service.child.stderr?.destroy();
    for (let n = 0; n < 3; n += 1) expect((await send(service.url, invite()))?.status).toBe(202);
    await until("status tells of it", async () =>
      (await world.run(["status"])).out.includes("of serve's log could not be written"),
    );
    service.child.kill("SIGTERM");
    expect((await service.ended).code).toBe(0);
  });

  test("whose reader stands still holds up nobody, and neither the end", async () => {
    const world = await connected();
    const service = await launchService(world);
    service.child.stderr?.pause();
    // A line each, and far more of them than the pipe holds.
    for (let n = 0; n < 3_000; n += 1) await sendUnreadable(service);
    await expectAlive(service);
    service.child.kill("SIGTERM");
    // Its manager waits for 30 s.
    await until("it ended", () => service.child.exitCode !== null, 25_000);
    expect(service.child.exitCode).toBe(0);
    service.child.stderr?.resume();
  });
});

describe("a bug that nobody catches", () => {
  test.each([
    ["thrown", "setTimeout(() => { throw new Error('the unforeseen') }, 200)"],
    ["in a promise", "setTimeout(() => Promise.reject(new Error('the unforeseen')), 200)"],
  ])("%s ends the service with 1, and says that it is one", async (_how, code) => {
    const world = await connected();
    const file = join(world.dir, "unforeseen.cjs");
    writeFileSync(file, code);
    world.env = { ...world.env, NODE_OPTIONS: `--require=${file}` };
    const { code: exit, err } = await launch(world, ["serve"]).ended;
    expect(exit).toBe(1);
    expect(err).toContain("Error: this is a bug: the unforeseen");
  });
});

describe("a command", () => {
  test("whose results do not fit on the disk says so and ends with 2", async () => {
    const world = await freshWorld();
    const program = launch(world, ["config", "show"], { shell: "exec >/dev/full" });
    expect(await program.ended).toMatchObject({
      code: 2,
      err: expect.stringContaining("Error: the output cannot be written: the disk is full"),
    });
  });

  test("whose results are read slowly does not cut them", async () => {
    const world = await connected();
    const events = Array.from({ length: 3_000 }, () => invite());
    await world.run(["invites", "import", world.file("events.ndjson", events)]);
    const program = launch(world, ["invites", "list", "--limit", "3000", "--json"]);
    program.child.stdout?.pause();
    // Longer than the end of a service waits for its log.
    await systemClock.sleep(4_000);
    program.child.stdout?.resume();
    const { code, out } = await program.ended;
    expect(code).toBe(0);
    expect(JSON.parse(out).invites).toHaveLength(3_000);
  });

  test("whose reader had enough ends quietly", async () => {
    const world = await freshWorld();
    const program = launch(world, ["config", "show"], { shell: 'exec "$@" | head -n 1; exit' });
    expect(await program.ended).toMatchObject({ code: 0, err: "" });
  });

  test("that was left running by nohup survives the end of the terminal", async () => {
    const world = await connected();
    await world.portal.fault({ delayMs: 1_500, path: "/crm/v3/objects" });
    await world.run(["invites", "import", world.file("events.ndjson", [invite()])]);
    const program = launch(world, ["run", "retry"], { shell: `cd '${world.dir}'; exec nohup "$@"` });
    await until("the call is under way", async () => (await world.portal.upserts()).length > 0);
    program.child.kill("SIGHUP");
    expect(await program.ended).toMatchObject({ code: 0, out: expect.stringContaining("1 delivered") });
  });
});

async function sendUnreadable({ url }: Service): Promise<void> {
  const body = "{}";
  const answer = await fetch(`${url}/jobcannon/events`, { method: "POST", headers: sign(body), body });
  expect(answer.status).toBe(400);
  await answer.arrayBuffer();
}

function setLogLevel({ configFile }: World, level: string): void {
  appendFileSync(configFile, `\n[log]\nlevel = "${level}"\n`);
}

/** `serve` on a port of its own, since it can say to nobody where it listens. */
async function serveOn(world: World, shell: string): Promise<void> {
  const port = 20_000 + (process.pid % 20_000);
  world.env = { ...world.env, JC_SERVE_LISTEN: `127.0.0.1:${port}` };
  const program = launch(world, ["serve"], { shell });
  const url = `http://127.0.0.1:${port}`;
  await until("it takes an event", async () => (await send(url, invite()))?.status === 202);
  program.child.kill("SIGTERM");
  expect((await program.ended).code).toBe(0);
}
