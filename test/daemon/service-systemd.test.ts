/**
 * `service` under a real systemd, as an operator goes through it from the first day to the last. Here this file only
 * starts itself again in `test/systemd-box`; the tests are those inside, in this order, on one machine.
 */
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Emulator, startEmulator } from "../../src/emulator/emulator.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { inBox } from "../systemd/box.ts";
import {
  cli,
  configuration,
  connectHubspot,
  contacts,
  EXEC,
  installProgram,
  isReady,
  json,
  messages,
  ok,
  post,
  PROGRAM,
  run,
  scriptIn,
  UNIT_FILE,
} from "../systemd/program.ts";
import { until, WEBHOOK_SECRET } from "../world.ts";

inBox("a service under a real systemd", { file: import.meta.url, seconds: 100 }, declareTests);

function declareTests() {
  let emulator: Emulator;
  beforeAll(async () => {
    emulator = await startEmulator({ port: 0, autoApprove: true, hubspotLimit: "none", clock: systemClock });
    installProgram("/opt/jc-integrations");
    installProgram("/root/jc-integrations");
  });
  afterAll(() => emulator.close());

  test("install is refused for a program that the service's user cannot read", async () => {
    const { code, err } = await cli("/root/jc-integrations", "service", "install", "--system");
    expect(code).toBe(2);
    expect(err).toContain("/root has mode 0700");
    expect(err).toContain("sudo npm install --global");
  });

  test.each([
    ["its script", "bin/jc-integrations.js", 0o777, 0o755],
    ["a file of dist", "dist/status.cjs", 0o664, 0o644],
    ["dist", "dist", 0o777, 0o755],
    ["the directory it lies in", "..", 0o775, 0o755],
  ])("install is refused where others can change %s, with the fix", async (_name, part, wide, narrow) => {
    const path = join("/opt/jc-integrations", part);
    chmodSync(path, wide);
    const { code, err } = await cli("/opt/jc-integrations", "service", "install", "--system");
    chmodSync(path, narrow);
    expect(code).toBe(2);
    expect(err).toContain(`others than root can change the program: ${path} has mode 0${wide.toString(8)}`);
    expect(err).toContain(`sudo chmod go-w '${path}'`);
    expect(existsSync(UNIT_FILE)).toBe(false);
  });

  test("install is refused for a program or a Node of somebody else's", async () => {
    const script = scriptIn("/opt/jc-integrations");
    chownSync(script, 65534, 65534);
    const { code, err } = await cli("/opt/jc-integrations", "service", "install", "--system");
    chownSync(script, 0, 0);
    expect([code, err]).toEqual([2, expect.stringContaining(`${script} belongs to the user 65534`)]);
    mkdirSync("/opt/node");
    copyFileSync(process.execPath, "/opt/node/node");
    chmodSync("/opt/node", 0o777);
    const other = await run("/opt/node/node", [script, "service", "install", "--system"]);
    expect([other.code, other.err]).toEqual([2, expect.stringContaining("/opt/node has mode 0777")]);
    expect(existsSync(UNIT_FILE)).toBe(false);
  });

  test("install is refused to anybody but root, with what to type instead", async () => {
    const nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", process.execPath];
    const words = [scriptIn("/opt/jc-integrations"), "service", "install", "--system"];
    const { code, err } = await run("setpriv", [...nobody, ...words]);
    expect(code).toBe(2);
    expect(err).toContain("→ sudo jc-integrations service install --system");
  });

  test("install does what its dry run said, and the service runs", async () => {
    const promised = await json("service", "install", "--system", "--org", "acme", "--dry-run");
    expect(existsSync(UNIT_FILE)).toBe(false);
    const done = await json("service", "install", "--system", "--org", "acme");
    expect(done).toEqual({ ...promised, dryRun: false });
    await until("the service listens", isReady);
    expect((await run("systemd-analyze", ["verify", UNIT_FILE])).err).toBe("");
    expect(await json("service", "status")).toMatchObject({ state: "active", enabled: true });
  });

  test("the state belongs to the service's user alone, the key to root alone", async () => {
    const seen = (path: string) => run("stat", ["--format=%a %U", path]).then(({ out }) => out.trim());
    expect(await seen("/var/lib/jc-integrations")).toBe("700 jc-integrations");
    expect(await seen("/var/lib/jc-integrations/log.db")).toBe("600 jc-integrations");
    expect(await seen("/etc/jc-integrations/vault-key")).toBe("600 root");
    expect(statSync("/etc/jc-integrations/vault-key").size).toBe(32);
  });

  test("installed again, nothing changes; not even what the operator has changed", async () => {
    const key = readFileSync("/etc/jc-integrations/vault-key");
    writeFileSync("/etc/jc-integrations/config.toml", configuration(emulator));
    expect(await json("service", "install", "--system")).toMatchObject({ steps: [], notes: [] });
    expect(readFileSync("/etc/jc-integrations/vault-key")).toEqual(key);
    expect(readFileSync("/etc/jc-integrations/config.toml", "utf8")).toBe(configuration(emulator));
    await ok(run("systemctl", ["restart", "jc-integrations"]));
    await until("the service listens", isReady);
  });

  test("secrets are set and HubSpot is connected in the service's name", async () => {
    const [name, value] = ["jobcannon.webhook-secret", WEBHOOK_SECRET];
    await ok(run("bash", ["-c", `printf %s '${value}' | ${EXEC} secrets set ${name}`]));
    await ok(
      run("bash", ["-c", `printf %s "a client's secret" | ${EXEC} secrets set hubspot.client-secret`]),
    );
    await connectHubspot();
    expect(await json("service", "exec", "--", "status", "--json")).toMatchObject({
      connections: [{ vendor: "hubspot", state: "connected" }],
      service: "running",
    });
  });

  test("a signed webhook is taken, and its result arrives", async () => {
    expect(await post("first@example.org")).toBe(202);
    await until("the contact is there", async () => (await contacts(emulator)).includes("first@example.org"));
  });

  test("a command's exit code is the caller's, and its words are not the journal's", async () => {
    const { code, err } = await cli(PROGRAM, "service", "exec", "--", "run", "person@example.org");
    expect(code).toBe(2);
    expect(err).toContain("there is no job of that name");
    expect((await ok(run("journalctl", ["--no-pager"]))).out).not.toContain("person@example.org");
  });

  test("killed without warning, the service comes back by itself", async () => {
    await ok(run("systemctl", ["kill", "--kill-whom=main", "--signal=KILL", "jc-integrations"]));
    await until("it was started again", async () => {
      const { restarts } = v.parse(v.object({ restarts: v.number() }), await json("service", "status"));
      return restarts === 1 && (await isReady());
    });
    expect(await post("second@example.org")).toBe(202);
  });

  test("told to stop, it ends in order", async () => {
    await ok(run("systemctl", ["stop", "jc-integrations"]));
    const { out } = await run("systemctl", ["show", "jc-integrations", "--property=Result,ExecMainStatus"]);
    expect(out.trim().split("\n").toSorted()).toEqual(["ExecMainStatus=0", "Result=success"]);
    expect((await messages()).at(-1)).toBe("stopped");
  });

  test("the journal has each line once timed, with its priority, and no secret", async () => {
    const lines = await messages();
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) expect(line).not.toMatch(/^<\d>|\d{4}-\d\d-\d\dT/);
    const { out } = await run("journalctl", ["--no-pager"]);
    for (const secret of [WEBHOOK_SECRET, "a client's secret", "@example.org"])
      expect(out).not.toContain(secret);
  });

  test("a unit that was changed is put right, and running on needs a restart", async () => {
    await ok(run("systemctl", ["start", "jc-integrations"]));
    const unit = readFileSync(UNIT_FILE, "utf8");
    writeFileSync(UNIT_FILE, unit.replace("RestartSec=2", "RestartSec=3"));
    const { out } = await ok(cli(PROGRAM, "service", "install", "--system"));
    expect(out).toContain(`change  ${UNIT_FILE}`);
    expect(out).toContain("sudo systemctl restart jc-integrations");
    expect(readFileSync(UNIT_FILE, "utf8")).toBe(unit);
  });

  test("uninstalled, it is gone, and what it knew is not", async () => {
    const { out } = await ok(cli(PROGRAM, "service", "uninstall"));
    expect(out).toContain("/var/lib/jc-integrations (log and vault)");
    expect(await isReady()).toBe(false);
    expect((await run("systemctl", ["cat", "jc-integrations"])).code).not.toBe(0);
    for (const kept of ["/var/lib/jc-integrations/vault.db", "/etc/jc-integrations/vault-key"])
      expect(existsSync(kept)).toBe(true);
  });

  test("a person's own service shares state and vault with that person's commands", async () => {
    const ann = await person("ann");
    await ok(ann("service", "install", "--user"));
    await until("the service listens", isReady);
    const status = JSON.parse((await ok(ann("status", "--json"))).out);
    expect(status).toMatchObject({ service: "running" });
    const { out } = await ok(ann("vault", "status"));
    expect(out).toContain("/home/ann/.config/jc-integrations/vault-key");
    expect((await ok(ann("service", "exec", "--", "vault", "status"))).out).toBe(out);
    await ok(ann("service", "uninstall"));
    expect(await isReady()).toBe(false);
  });
}

/** A person who has logged in, and what this person types. */
async function person(name: string) {
  await ok(run("useradd", ["--create-home", name]));
  await ok(run("loginctl", ["enable-linger", name]));
  const uid = (await run("id", ["--user", name])).out.trim();
  const env = [`HOME=/home/${name}`, `XDG_RUNTIME_DIR=/run/user/${uid}`];
  const as = ["--user", name, "--", "env", "--chdir", `/home/${name}`, ...env];
  await until("their systemd answers", async () => {
    const { code } = await run("runuser", [...as, "systemctl", "--user", "show-environment"]);
    return code === 0;
  });
  return (...words: string[]) => run("runuser", [...as, process.execPath, scriptIn(PROGRAM), ...words]);
}
