/**
 * The Debian package under a real systemd, in the lines of docs/operations.md: installed and disabled, enabled, upgraded
 * under load, downgraded, removed and purged. In this order, on one machine.
 *
 * What is tried is the package of this checkout with the Node that runs here; `JC_TEST_DEB` names another one.
 */
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Emulator, startEmulator } from "../../src/emulator/emulator.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { KEYS } from "../../src/shared/config-keys.ts";
import { packagedFiles } from "../../src/systemd/packaged.ts";
import { dist } from "../built.ts";
import { until, WEBHOOK_SECRET } from "../world.ts";
import { inBox, REPOSITORY, tell } from "./box.ts";
import {
  CONFIG,
  configuration,
  connectHubspot,
  contacts,
  isReady,
  ok,
  post,
  property,
  run,
  setSecret,
  storedIds,
  type,
  UNIT_FILE,
} from "./program.ts";
import { askAdmin, type Pace, sendWebhooks } from "./senders.ts";

const UNITS = ["jc-integrations.socket", "jc-integrations-admin.socket", "jc-integrations.service"];
const PROGRAM = "/usr/lib/jc-integrations";
const STATE = "/var/lib/jc-integrations";
const KEY = "/etc/jc-integrations/vault-key";
const EXEC = "jc-integrations service exec --";
const NEW_CONNECTIONS_A_SECOND = 200;
const PACE: Pace = {
  perSecond: NEW_CONNECTIONS_A_SECOND,
  mostConnections: KEYS["serve.max_connections"].default,
};
const NEWER = "99.0.0";

inBox("a Debian package", { file: import.meta.url, seconds: 300, prepare: async () => dist() }, declareTests);

function declareTests() {
  let emulator: Emulator;
  let older = "";
  let newer = "";
  beforeAll(async () => {
    emulator = await startEmulator({ port: 0, autoApprove: true, hubspotLimit: "none", clock: systemClock });
    // Containers have one, which lets no package touch a service.
    rmSync("/usr/sbin/policy-rc.d", { force: true });
    older = process.env.JC_TEST_DEB ?? (await packageOf(REPOSITORY, "/opt/older"));
    newer = await asNewer(older);
  });
  afterAll(() => emulator.close());

  const version = async () => (await ok(type("jc-integrations --version"))).out.trim();
  const states = async (verb: "is-enabled" | "is-active") =>
    (await run("systemctl", [verb, ...UNITS])).out.trim().split("\n");
  const typed = (heading: string, file: string) => typePackageBlock(heading, file);

  test.skipIf(process.env.JC_TEST_DEB)("made in another directory it has the same bytes", async () => {
    const elsewhere = "/opt/elsewhere/than/here";
    for (const part of ["src", "bin", "docs", "packaging"])
      cpSync(join(REPOSITORY, part), join(elsewhere, part), { recursive: true });
    mkdirSync(join(elsewhere, "node_modules"));
    await ok(run("mount", ["--bind", join(REPOSITORY, "node_modules"), join(elsewhere, "node_modules")]));
    for (const part of ["build.js", "package.json", "package-lock.json", "CHANGELOG.md", "LICENSE"])
      cpSync(join(REPOSITORY, part), join(elsewhere, part));
    await ok(type(`cd ${elsewhere} && '${process.execPath}' build.js`));
    const other = await packageOf(elsewhere, "/opt/other");
    expect(sha256(other)).toBe(sha256(older));
    await ok(run("umount", [join(elsewhere, "node_modules")]));
    for (const directory of ["/opt/elsewhere", "/opt/other"]) rmSync(directory, { recursive: true });
  });

  test("installed it has a user, a key and a configuration, and nothing of it is enabled or runs", async () => {
    await typed("Install", older);
    expect(await states("is-enabled")).toEqual(["disabled", "disabled", "disabled"]);
    expect(await states("is-active")).toEqual(["inactive", "inactive", "inactive"]);
    expect(statSync(KEY)).toMatchObject({ mode: 0o100600, size: 32, uid: 0 });
    expect((await ok(run("getent", ["passwd", "jc-integrations"]))).out).toMatch(
      /:\/var\/lib\/jc-integrations:\/usr\/sbin\/nologin$/m,
    );
    expect(await version()).toBe(versionIn(older));
    expect(existsSync(join(PROGRAM, "dist/status.cjs.code"))).toBe(true);
  });

  test("its units and its configuration are the ones that service install writes", () => {
    for (const [path, text] of Object.entries(packagedFiles(PROGRAM)))
      expect([path, readFileSync(path, "utf8")]).toEqual([path, text]);
  });

  test("it brings the man pages of this build, and completion for three shells", async () => {
    const { out } = await ok(run("dpkg", ["--contents", older]));
    const brought = [...out.matchAll(/\.(\/usr\/share\/(?:man|bash|zsh|fish).*[^/\n])$/gm)].map(
      ([, path]) => path,
    );
    const pages = readdirSync(join(REPOSITORY, "dist/man/man1"));
    const expected = [
      "/usr/share/bash-completion/completions/jc-integrations",
      "/usr/share/fish/vendor_completions.d/jc-integrations.fish",
      "/usr/share/zsh/vendor-completions/_jc-integrations",
      ...pages.map((page) => `/usr/share/man/man1/${page}.gz`),
    ];
    expect(brought.toSorted()).toEqual(expected.toSorted());
    const completion = readFileSync("/usr/share/bash-completion/completions/jc-integrations", "utf8");
    expect(completion).toBe((await ok(type("jc-integrations completion bash"))).out);
  });

  test("its list of parts names what is bundled, and each native part with the hash that it has", () => {
    const bundled = v.parse(
      v.array(Part),
      JSON.parse(readFileSync(join(PROGRAM, "dist/bundled.json"), "utf8")),
    );
    const { components } = v.parse(Sbom, readSbom());
    for (const { name, version: of } of bundled)
      expect(components).toContainEqual(expect.objectContaining({ name, version: of }));
    const compiled = components.filter(({ hashes }) => hashes !== undefined);
    expect(compiled.map(({ name }) => name).toSorted()).toEqual(["better-sqlite3", "keytar", "node"]);
    for (const { name, hashes, properties } of compiled) {
      const file = properties?.[0]?.value ?? join(PROGRAM, "bin/node");
      expect([name, hashes?.[0]?.content]).toEqual([name, sha256(file)]);
    }
    const packages = readdirSync(join(PROGRAM, "node_modules"));
    expect(packages.filter((name) => !components.some((component) => component.name === name))).toEqual([]);
  });

  test("its units start as they are", async () => {
    await ok(type("systemctl start jc-integrations"));
    expect(await isReady()).toBe(true);
    await ok(type("systemctl stop 'jc-integrations*.socket' jc-integrations"));
  });

  test("enabled and configured it delivers, with its own Node", async () => {
    writeFileSync(CONFIG, configuration(emulator));
    await typed("Enable", older);
    expect(await states("is-enabled")).toEqual(["enabled", "enabled", "enabled"]);
    await setSecret("jobcannon.webhook-secret", WEBHOOK_SECRET, EXEC);
    await setSecret("hubspot.client-secret", "a secret of the client", EXEC);
    await connectHubspot(EXEC);
    expect(await post("first@example.org")).toBe(202);
    await until("it is delivered", async () => (await contacts(emulator)).includes("first@example.org"));
    expect((await ok(type(`readlink /proc/${await property("MainPID")}/exe`))).out.trim()).toBe(
      join(PROGRAM, "bin/node"),
    );
    expect(await serviceStatus()).toMatchObject({ advice: [], program: { version: versionIn(older) } });
  });

  test("upgraded under load it refuses nothing, loses nothing, and the newer one runs", async () => {
    const [before, key] = [await property("MainPID"), readFileSync(KEY)];
    const stop = new AbortController();
    const sending = sendWebhooks(PACE, stop.signal);
    const asking = askAdmin(stop.signal);
    await typed("Upgrade", newer);
    await systemClock.sleep(500);
    stop.abort();
    const [{ acknowledged, refused, others }, admin] = [await sending, await asking];
    tell(`upgrade: ${acknowledged.length} acknowledged, ${refused.length} refused`);
    expect({ refused: refused.slice(0, 5), others: others.slice(0, 5) }).toEqual({ refused: [], others: [] });
    expect(admin.refused).toEqual([]);
    expect(acknowledged.length).toBeGreaterThan(NEW_CONNECTIONS_A_SECOND / 2);
    const stored = storedIds();
    expect(acknowledged.filter((id) => !stored.has(id))).toEqual([]);
    expect(await property("MainPID")).not.toBe(before);
    expect(await serviceStatus()).toMatchObject({ advice: [], program: { version: NEWER } });
    expect(readFileSync(KEY).equals(key)).toBe(true);
    expect(readFileSync(CONFIG, "utf8")).toBe(configuration(emulator));
    expect(await property("NRestarts")).toBe("0");
  });

  test("another version beside a service that was stopped starts nothing", async () => {
    await ok(type("systemctl stop 'jc-integrations*.socket' jc-integrations"));
    await typed("Downgrade", older);
    expect(await states("is-active")).toEqual(["inactive", "inactive", "inactive"]);
    expect(await version()).toBe(versionIn(older));
    await ok(type("systemctl start jc-integrations"));
    expect(await post("with-the-older@example.org")).toBe(202);
  });

  test("removed, it is gone with its units; log, vault, key and configuration are there", async () => {
    const key = readFileSync(KEY);
    await typed("Remove", older);
    expect(await states("is-active")).toEqual(["inactive", "inactive", "inactive"]);
    expect(await isReady()).toBe(false);
    const left = [PROGRAM, "/usr/bin/jc-integrations", ...unitFiles()].filter(existsSync);
    expect(left).toEqual([]);
    expect(readdirSync(STATE)).toEqual(expect.arrayContaining(["log.db", "vault.db"]));
    expect(readFileSync(KEY).equals(key)).toBe(true);
    expect(readFileSync(CONFIG, "utf8")).toBe(configuration(emulator));
  });

  test("installed again it is disabled, and enabled it goes on where it stopped", async () => {
    await typed("Install", older);
    expect(await states("is-enabled")).toEqual(["disabled", "disabled", "disabled"]);
    await typed("Enable", older);
    expect(await post("again@example.org")).toBe(202);
    await until("it is delivered", async () => (await contacts(emulator)).includes("again@example.org"));
  });

  test("a service of another installation stays as it is, and keeps its state, whatever becomes of the package", async () => {
    const foreign = readFileSync(join("/usr/lib/systemd/system", "jc-integrations.service"), "utf8");
    writeFileSync(
      UNIT_FILE,
      foreign.replaceAll(`${PROGRAM}/`, "/usr/local/lib/node_modules/jc-integrations/"),
    );
    const before = await property("MainPID");
    for (const [script, word] of [
      ["prerm", "remove"],
      ["postrm", "remove"],
      ["postrm", "purge"],
    ] as const)
      await ok(run(`/var/lib/dpkg/info/jc-integrations.${script}`, [word]));
    expect([await property("MainPID"), await isReady()]).toEqual([before, true]);
    expect([existsSync(UNIT_FILE), existsSync(KEY)]).toEqual([true, true]);
    expect(readdirSync(STATE)).toEqual(expect.arrayContaining(["log.db", "vault.db"]));
    rmSync(UNIT_FILE);
    await ok(run("systemctl", ["daemon-reload"]));
  });

  test("purged, nothing is left but the user", async () => {
    await typed("Purge", older);
    expect(await states("is-active")).toEqual(["inactive", "inactive", "inactive"]);
    expect([STATE, "/etc/jc-integrations", PROGRAM, ...unitFiles()].filter(existsSync)).toEqual([]);
    await ok(run("getent", ["passwd", "jc-integrations"]));
  });

  test("nothing of the package's part of docs/operations.md is left untyped", () => {
    expect([...packageBlocks().keys()].filter((heading) => !typedBlocks.has(heading))).toEqual([]);
  });
}

const Part = v.object({ name: v.string(), version: v.string() });
const Sbom = v.object({
  bomFormat: v.literal("CycloneDX"),
  components: v.array(
    v.object({
      ...Part.entries,
      hashes: v.optional(v.array(v.object({ alg: v.literal("SHA-256"), content: v.string() }))),
      properties: v.optional(v.array(v.object({ name: v.string(), value: v.string() }))),
    }),
  ),
});

function readSbom(): unknown {
  return JSON.parse(readFileSync("/usr/share/doc/jc-integrations/sbom.cdx.json", "utf8"));
}

/** Made by the release's own script, with what is here already: to compile SQLite takes a minute. */
async function packageOf(checkout: string, out: string): Promise<string> {
  const release = `'${process.execPath}' packaging/release.js --quick --out ${out}`;
  await ok(type(`cd '${checkout}' && SOURCE_DATE_EPOCH=1795860000 ${release}`));
  const [file = ""] = readdirSync(out).filter((name) => name.endsWith(".deb"));
  return join(out, file);
}

/** The same with another number, as the next version would come. */
async function asNewer(file: string): Promise<string> {
  const tree = "/opt/newer";
  await ok(type(`dpkg-deb --raw-extract ${file} ${tree}`));
  const replace = (path: string, from: string, to: string) => {
    const text = readFileSync(join(tree, path), "utf8");
    expect(text).toContain(from);
    writeFileSync(join(tree, path), text.replaceAll(from, to));
  };
  const older = versionIn(file);
  replace("DEBIAN/control", `Version: ${older}\n`, `Version: ${NEWER}\n`);
  replace(`${PROGRAM}/package.json`, `"version": "${older}"`, `"version": "${NEWER}"`);
  replace(`${PROGRAM}/dist/build.json`, `"version":"${older}"`, `"version":"${NEWER}"`);
  for (const name of readdirSync(join(tree, PROGRAM, "dist")).filter((each) => each.endsWith(".cjs"))) {
    const path = join(tree, PROGRAM, "dist", name);
    writeFileSync(path, readFileSync(path, "utf8").replaceAll(`"${older}"`, `"${NEWER}"`));
  }
  const made = `/opt/jc-integrations_${NEWER}_amd64.deb`;
  await ok(run("dpkg-deb", ["--root-owner-group", "-Znone", "--build", tree, made]));
  rmSync(tree, { recursive: true });
  return made;
}

function versionIn(file: string): string {
  return /_([^_]+)_amd64\.deb$/.exec(file)?.[1] ?? "";
}

function unitFiles(): string[] {
  return UNITS.flatMap((unit) => [`/etc/systemd/system/${unit}`, `/usr/lib/systemd/system/${unit}`]);
}

function sha256(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

async function serviceStatus(): Promise<unknown> {
  return JSON.parse((await ok(type("jc-integrations service status --json"))).out);
}

/** The blocks marked `shell`, by the words before the colon in their first line's comment. */
function packageBlocks(): Map<string, string> {
  const page = readFileSync(join(REPOSITORY, "docs/operations.md"), "utf8");
  const blocks = page.matchAll(/```shell\n# (\w+)\b[^\n]*\n(.*?)```/gs);
  return new Map([...blocks].map(([, heading = "", lines = ""]) => [heading, lines]));
}

const typedBlocks = new Set<string>();

/** As root types it; there is no sudo here, and root needs none. */
async function typePackageBlock(heading: string, file: string): Promise<string> {
  const lines = packageBlocks().get(heading);
  expect(lines, heading).toBeDefined();
  typedBlocks.add(heading);
  const env = `export DEBIAN_FRONTEND=noninteractive PACKAGE='${file}'`;
  return (await ok(type(`set -e; sudo() { "$@"; }; ${env}; ${lines}`))).out;
}
