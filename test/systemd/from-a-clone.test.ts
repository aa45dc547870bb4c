/**
 * From a clone to a service that lasts, in the README's own lines under a real systemd: installed from the packed file,
 * connected, delivering; then all that ends other services, and an upgrade. In this order, on one machine.
 */
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as v from "valibot";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Emulator, startEmulator } from "../../src/emulator/emulator.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { createRunner } from "../../src/systemd/runner.ts";
import { dist } from "../built.ts";
import { ask } from "../daemon/serving.ts";
import { follow } from "../oauth/browser.ts";
import { invite, ndjson, sign, until, WEBHOOK_SECRET } from "../world.ts";
import { inBox, REPOSITORY } from "./box.ts";
import { temporaryDirectory } from "../directory.ts";

const CLONE = "/root/jc-integrations";
const CONFIG = "/etc/jc-integrations/config.toml";
const PREBUILT = "/opt/prebuilt";
const MINUTES = 60_000;

inBox(
  "from a clone to a service that lasts",
  { file: import.meta.url, seconds: 420, prepare: fillNpmsCache },
  declareTests,
);

/** The box has no network: what the installation will ask of the registry has to be in npm's cache. */
async function fillNpmsCache() {
  dist();
  const directory = temporaryDirectory(tmpdir());
  const { run } = createRunner(process.env);
  await ok(run("npm", ["pack", "--ignore-scripts", `--pack-destination=${directory}`, REPOSITORY]));
  const tarball = join(directory, `jc-integrations-${versionIn(REPOSITORY)}.tgz`);
  await ok(run("npm", ["install", "--global", "--ignore-scripts", `--prefix=${directory}/prefix`, tarball]));
}

/** As their makers publish them, for the install scripts to find: to compile SQLite takes a minute each time. */
async function prebuildNativeParts() {
  const { run } = createRunner(process.env);
  mkdirSync(PREBUILT);
  for (const [name, abi, binary] of [
    ["better-sqlite3", `node-v${process.versions.modules}`, "better_sqlite3.node"],
    ["keytar", "napi-v3", "keytar.node"],
  ] as const) {
    const built = join(REPOSITORY, "node_modules", name);
    const file = `${name}-v${versionIn(built)}-${abi}-${process.platform}-${process.arch}.tar.gz`;
    await ok(run("tar", ["-C", built, "-czf", join(PREBUILT, file), `build/Release/${binary}`]));
  }
}

function declareTests() {
  const offline = {
    npm_config_offline: "true",
    npm_config_better_sqlite3_local_prebuilds: PREBUILT,
    npm_config_keytar_local_prebuilds: PREBUILT,
  };
  const { run } = createRunner({ ...process.env, ...offline }, { longestMs: 5 * MINUTES });
  /** As root types it, in the clone: there is no sudo here, and root needs none. */
  const type = (line: string, directory = CLONE) =>
    run("bash", ["-c", `sudo() { "$@"; }; sudoedit() { :; }; cd '${directory}' && ${line}`]);
  const exec = (words: string, directory = CLONE) =>
    type(`sudo jc-integrations service exec -- ${words}`, directory);
  const json = async (line: string) => v.parse(v.looseObject({}), JSON.parse((await ok(type(line))).out));
  const property = async (name: string) =>
    (await run("systemctl", ["show", "jc-integrations", `--property=${name}`, "--value"])).out.trim();
  const readme = linesIn(readFileSync(join(REPOSITORY, "README.md"), "utf8"));
  let emulator: Emulator;

  const contacts = async () => {
    const { body } = await ask(`${emulator.url}/_control/hubspot/contacts`);
    return v.parse(v.array(v.object({ email: v.string() })), JSON.parse(body)).map(({ email }) => email);
  };
  const expectDelivered = async (email: string) => {
    const body = JSON.stringify(invite({ email }));
    await until(`${email} is taken`, async () => {
      const url = "http://127.0.0.1:8470/jobcannon/events";
      const answer = await ask(url, { method: "POST", headers: sign(body), body }).catch(() => null);
      return answer?.status === 202;
    });
    await until(`${email} is delivered`, async () => (await contacts()).includes(email));
  };
  /** Nothing that happens in between ends the process. */
  const expectSameProcess = async (whatHappens: () => Promise<unknown>) => {
    const before = await property("MainPID");
    await whatHappens();
    expect(before).not.toBe("0");
    expect(await property("MainPID")).toBe(before);
  };

  beforeAll(async () => {
    emulator = await startEmulator({ port: 0, autoApprove: true, hubspotLimit: "none", clock: systemClock });
    cpSync(REPOSITORY, CLONE, {
      recursive: true,
      filter: (path) => !/\/(node_modules|\.git|dist)$/.test(path),
    });
  });
  beforeAll(prebuildNativeParts);
  afterAll(() => emulator.close());

  test(
    "it is installed",
    async () => {
      const install = readme("## Install");
      expect(install).toEqual([
        "git clone <this repository> jc-integrations && cd jc-integrations",
        "npm ci",
        "npm pack",
        expect.stringMatching(/^sudo npm install --global /),
        expect.stringContaining("pnpm add --global"),
      ]);
      // What `npm ci` brings is here already; what it builds is built by `npm pack` as well.
      symlinkSync(join(REPOSITORY, "node_modules"), join(CLONE, "node_modules"));
      for (const line of install.slice(2, 4)) await ok(type(line));
      expect((await ok(type("jc-integrations --version", "/"))).out.trim()).toBe(versionIn(REPOSITORY));
      const packages = await ok(type("ls $(npm root --global)/jc-integrations/node_modules"));
      const names = packages.out.split("\n");
      expect(names).toEqual(expect.arrayContaining(["better-sqlite3", "keytar", "open"]));
      // What is bundled is not installed once more.
      for (const bundled of ["undici", "commander", "valibot", "chalk"]) expect(names).not.toContain(bundled);
    },
    5 * MINUTES,
  );

  test("a clone that is only linked is refused for a service, with what to type in it", async () => {
    const { code, err } = await type("node bin/jc-integrations.js service install --system");
    expect(code).toBe(2);
    expect(err).toContain("/root has mode 0700");
    expect(err).toContain(`→ Install it for everybody: cd '${CLONE}' && npm pack`);
    expect(err).not.toMatch(/npm install[^&]* jc-integrations(\s|$)/);
  });

  test(
    "it becomes a service, is configured, given its secrets and connected",
    async () => {
      const lines = readme("## Running under systemd");
      for (const line of lines) {
        if (/connect hubspot/.test(line)) await connect(line, CLONE);
        else if (/secrets set/.test(line)) await ok(type(`printf %s '${secretFor(line)}' | ${line}`));
        else if (/^sudoedit/.test(line)) writeFileSync(CONFIG, configuration(emulator));
        else if (/^journalctl/.test(line)) break;
        else await ok(type(line));
        if (/service install --system --org acme$/.test(line))
          expect(await property("ActiveState")).toBe("active");
      }
      await expectDelivered("first@example.org");
      expect((await ok(exec("status"))).out).toMatch(/HubSpot\s+\[?Connected/);
    },
    MINUTES,
  );

  test(
    "a file that is named is read with the caller's rights, from where the caller stands",
    async () => {
      mkdirSync("/root/private", { mode: 0o700 });
      const file = "/root/private/ev.ndjson";
      writeFileSync(file, ndjson([invite({ email: "named@example.org" })]), { mode: 0o600 });
      const imported = expect.stringContaining("1 event read: 1 stored");
      const known = expect.stringContaining("1 event read: 0 stored, 1 known before");
      expect(await exec("invites import ev.ndjson", "/root/private")).toMatchObject({
        code: 0,
        out: imported,
      });
      for (const words of [`invites import ${file}`, "invites import --org acme ../private/ev.ndjson"])
        expect(await exec(words, "/root/private")).toMatchObject({ code: 0, out: known });
      expect(await exec("invites import - < ev.ndjson", "/root/private")).toMatchObject({
        code: 0,
        out: known,
      });
      await until("it is delivered", async () => (await contacts()).includes("named@example.org"));
      writeFileSync("/root/private/secret", "another client's secret\n", { mode: 0o600 });
      for (const option of ["--file secret", "--file=secret"])
        await ok(exec(`secrets set --org other hubspot.client-secret ${option}`, "/root/private"));
      expect(await exec("invites import gone.ndjson", "/root/private")).toMatchObject({
        code: 2,
        err: expect.stringContaining("/root/private/gone.ndjson cannot be read"),
      });
      expect(await exec("invites import .", "/root/private")).toMatchObject({ code: 2 });
    },
    MINUTES,
  );

  test("root's plain command points to the service's", async () => {
    const { out, err } = await ok(type("jc-integrations status"));
    expect(out).toContain("service not running");
    expect(err).toContain("sudo jc-integrations service exec -- status");
    expect((await ok(exec("status"))).err).not.toContain("service exec");
  });

  test("the journal calls it by its name, and its rows say whose they are", async () => {
    const { out } = await ok(run("journalctl", ["--identifier=jc-integrations", "--output=cat"]));
    expect(out).toMatch(/^delivered {2}org=acme {2}vendor=hubspot/m);
    expect(out).not.toContain("connection=");
  });

  test.each(["HUP", "USR1", "USR2", "PIPE"])("SIG%s ends nothing", async (signal) => {
    await expectSameProcess(async () => {
      await ok(run("systemctl", ["kill", `--signal=${signal}`, "jc-integrations"]));
      await expectDelivered(`after-${signal.toLowerCase()}@example.org`);
    });
  });

  test(
    "reloaded, it says which change of the configuration needs a restart, and so does status",
    async () => {
      await expectSameProcess(async () => {
        writeFileSync(
          CONFIG,
          configuration(emulator).replace('tier = "none"', 'tier = "none"\nredirect_port = 9000'),
        );
        await ok(run("systemctl", ["reload", "jc-integrations"]));
        await until("it is told", async () =>
          /restart needed.*hubspot\.redirect_port/.test((await journal()).out),
        );
      });
      const { advice } = await json("sudo jc-integrations service status --json");
      expect(advice).toEqual([expect.stringContaining("the configuration changed since serve started")]);
      writeFileSync(CONFIG, configuration(emulator));
      expect(await json("sudo jc-integrations service status --json")).toMatchObject({
        advice: [],
        program: { version: versionIn(REPOSITORY) },
        config: { file: CONFIG },
      });
    },
    MINUTES,
  );

  test(
    "a journal that is stopped ends nothing, and what it did not get is counted",
    async () => {
      const journald = [
        "systemd-journald.socket",
        "systemd-journald-dev-log.socket",
        "systemd-journald.service",
      ];
      await expectSameProcess(async () => {
        await ok(run("systemctl", ["stop", ...journald]));
        for (const n of [1, 2, 3]) await expectDelivered(`unheard-${n}@example.org`);
        await ok(run("systemctl", ["start", ...journald]));
        await expectDelivered("heard@example.org");
        await until(
          "status tells it",
          async () => /could not be written/.test((await exec("status")).out),
          MINUTES,
        );
      });
    },
    2 * MINUTES,
  );

  test(
    "a log file on a full disk ends nothing",
    async () => {
      mkdirSync("/small");
      await ok(run("mount", ["-t", "tmpfs", "-o", "size=4k", "tmpfs", "/small"]));
      const dropIn = "/etc/systemd/system/jc-integrations.service.d";
      mkdirSync(dropIn);
      writeFileSync(join(dropIn, "log.conf"), "[Service]\nStandardError=append:/small/log\n");
      await ok(run("bash", ["-c", "systemctl daemon-reload && systemctl restart jc-integrations"]));
      await expectDelivered("before-it-is-full@example.org");
      await run("bash", ["-c", "cat /dev/zero > /small/rest"]);
      await expectSameProcess(() => expectDelivered("on-a-full-disk@example.org"));
      rmSync("/small/rest");
      const size = () => readFileSync("/small/log").length;
      const before = size();
      await expectDelivered("when-there-is-room@example.org");
      await until("it writes again", () => size() > before);
      rmSync(dropIn, { recursive: true });
      await ok(run("bash", ["-c", "systemctl daemon-reload && systemctl restart jc-integrations"]));
    },
    MINUTES,
  );

  test.each(["KILL", "QUIT", "ABRT"])("ended by SIG%s, it is started again", async (signal) => {
    const before = await property("MainPID");
    await ok(run("systemctl", ["kill", `--signal=${signal}`, "jc-integrations"]));
    await until("another runs", async () => !["0", before].includes(await property("MainPID")));
    await expectDelivered(`ended-by-${signal.toLowerCase()}@example.org`);
  });

  test(
    "upgraded while it runs it goes on, and says what is installed; restarted, it is the newer one",
    async () => {
      const manifest = join(CLONE, "package.json");
      writeFileSync(
        manifest,
        readFileSync(manifest, "utf8").replace(/"version": "[^"]+"/, '"version": "0.99.0"'),
      );
      await expectSameProcess(async () => {
        await ok(type("npm pack && sudo npm install --global --ignore-scripts ./jc-integrations-0.99.0.tgz"));
        await expectDelivered("meanwhile@example.org");
      });
      // Its scripts were skipped: the command that mends it is shown, and whatever is asked ends with 2.
      const unbuilt = await type("jc-integrations run retry");
      expect(unbuilt).toMatchObject({ code: 2, err: expect.stringContaining("better-sqlite3' run install") });
      const [, mend = ""] = /→ (sudo .*)/.exec(unbuilt.err) ?? [];
      await ok(type(mend, "/"));
      await ok(type("jc-integrations run retry"));
      const status = () => json("sudo jc-integrations service status --json");
      expect(await status()).toMatchObject({
        program: { version: versionIn(REPOSITORY) },
        advice: [expect.stringContaining("a newer program (0.99.0) is installed")],
      });
      await expectDelivered("still-the-older@example.org");
      const upgrade = readme("## Running under systemd").slice(-3);
      for (const line of upgrade) await ok(type(line));
      expect(await status()).toMatchObject({ program: { version: "0.99.0" }, advice: [] });
      await expectDelivered("the-newer@example.org");
    },
    3 * MINUTES,
  );

  async function journal() {
    return await run("journalctl", ["--unit=jc-integrations", "--output=cat"]);
  }
}

/** The shell lines of a section, without their comments. */
function linesIn(readme: string): (section: string) => string[] {
  return (section) => {
    const [, text = ""] = readme.split(`\n${section}\n`);
    const own = text.split("\n## ")[0] ?? "";
    return [...own.matchAll(/^```sh\n(.*?)^```/gms)]
      .flatMap(([, block = ""]) => block.trim().split("\n"))
      .map((line) => line.replace(/\s+#.*$/, ""));
  };
}

function secretFor(line: string): string {
  return line.includes("webhook-secret") ? WEBHOOK_SECRET : "a secret of the client";
}

/** The operator's browser is on another machine; here it can reach the one that listens. */
async function connect(line: string, directory: string): Promise<void> {
  const command = `sudo() { "$@"; }; cd '${directory}' && ${line}`;
  const child = spawn("bash", ["-c", command], { stdio: ["ignore", "ignore", "pipe"] });
  const exit = new Promise((resolve) => child.once("exit", resolve));
  const said: string[] = [];
  for await (const words of createInterface({ input: child.stderr })) {
    said.push(words);
    if (words.startsWith("http")) await follow(words);
  }
  expect(await exit, said.join("\n")).toBe(0);
}

async function ok<Ended extends { code: number; err: string }>(running: Promise<Ended>): Promise<Ended> {
  const ended = await running;
  expect(ended, ended.err).toMatchObject({ code: 0 });
  return ended;
}

function versionIn(directory: string): string {
  return v.parse(
    v.object({ version: v.string() }),
    JSON.parse(readFileSync(join(directory, "package.json"), "utf8")),
  ).version;
}

function configuration({ hubspot }: Emulator): string {
  return `org = "acme"
[hubspot]
client_id = "app-1"
api_base = "${hubspot}"
authorize_url = "${hubspot}/oauth/authorize"
tier = "none"
[vault]
backend = "sealed"
`;
}
