/** A native part that this Node cannot load: said with the one command that builds it, whoever needs it first. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { dist } from "../built.ts";
import { temporaryDirectory } from "../directory.ts";

dist();

const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));
const BINARIES = { "better-sqlite3": "better_sqlite3.node", keytar: "keytar.node" };
type Part = keyof typeof BINARIES;

interface Installed {
  directory: string;
  binary: string;
  run(
    words: readonly string[],
    env?: NodeJS.ProcessEnv,
  ): { status: number | null; stdout: string; stderr: string };
}

/** The built program, with one native part of its own and the others of this checkout. */
function installed(part: Part): Installed {
  const directory = temporaryDirectory(tmpdir());
  const packages = join(directory, "node_modules");
  mkdirSync(packages);
  for (const name of readdirSync(join(REPOSITORY, "node_modules")))
    if (name !== part) symlinkSync(join(REPOSITORY, "node_modules", name), join(packages, name));
  cpSync(join(REPOSITORY, "node_modules", part), join(packages, part), {
    recursive: true,
    filter: (path) => !path.includes("obj.target"),
  });
  for (const each of ["bin", "dist", "package.json"])
    cpSync(join(REPOSITORY, each), join(directory, each), { recursive: true });
  writeFileSync(join(directory, "config.toml"), '[vault]\nbackend = "sealed"\nkey_file = "key"\n');
  const program = join(directory, "bin/jc-integrations.js");
  const env = {
    PATH: process.env.PATH,
    HOME: directory,
    JC_CONFIG: join(directory, "config.toml"),
    JC_STATE_DIR: join(directory, "state"),
  };
  return {
    directory: join(packages, part),
    binary: join(packages, part, "build/Release", BINARIES[part]),
    run: (words, more = {}) =>
      spawnSync(process.execPath, [program, ...words], {
        encoding: "utf8",
        env: { ...env, ...more },
        timeout: 90_000,
      }),
  };
}

/** As Node itself tells it: the version stands in a symbol's name, and in the record that the module registers. */
function buildForAnotherNode(binary: string): void {
  const [ours, other] = [Number(process.versions.modules), Number(process.versions.modules) + 1];
  const name = `node_register_module_v`;
  const bytes = Buffer.from(
    readFileSync(binary).toString("latin1").replaceAll(`${name}${ours}`, `${name}${other}`),
    "latin1",
  );
  for (let at = 0; at + 16 <= bytes.length; at += 8)
    if (bytes.readUInt32LE(at) === ours && bytes.subarray(at + 4, at + 16).every((byte) => byte === 0))
      bytes.writeUInt32LE(other, at);
  rmSync(binary);
  writeFileSync(binary, bytes);
}

const UNFIT: [what: string, words: RegExp, spoil: (binary: string) => void][] = [
  [
    "was not built, since install scripts were skipped",
    /was not built when it was installed/,
    (binary) => rmSync(binary),
  ],
  [
    "is damaged",
    /is damaged, or was built for another kind of machine/,
    (binary) => {
      rmSync(binary);
      writeFileSync(binary, "no program at all, but long enough to have the header of one in its place");
    },
  ],
];
const OTHER_NODE: (typeof UNFIT)[number] = [
  "was built for another Node",
  /was built for another Node than this one \(v/,
  buildForAnotherNode,
];

/** By doctor, once, with the same command. */
function expectFound(program: Installed, words: RegExp, env: NodeJS.ProcessEnv = {}): void {
  const { status, stdout } = program.run(["doctor", "--json"], env);
  const native = JSON.parse(stdout).findings.filter(({ id }: { id: string }) => id === "program.native");
  expect([status, native]).toEqual([
    2,
    [
      expect.objectContaining({
        what: expect.stringMatching(words),
        command: expect.stringContaining(`--prefix '${program.directory}' run install`),
      }),
    ],
  ]);
}

describe.skipIf(process.platform !== "linux")("better-sqlite3", () => {
  test.each([...UNFIT, OTHER_NODE])("that %s", (_what, words, spoil) => {
    const program = installed("better-sqlite3");
    const fix = `--prefix '${program.directory}' run install`;
    // A log that is there: `status` looks into it.
    expect(program.run(["run", "retry"]).status).toBe(0);
    spoil(program.binary);
    for (const command of [["status"], ["logs"], ["run", "retry"], ["connect", "hubspot"], ["serve"]]) {
      const { status, stderr } = program.run(command, { JC_HUBSPOT_CLIENT_ID: "app" });
      expect({ status, stderr }, command.join(" ")).toEqual({
        status: 2,
        stderr: expect.stringMatching(words),
      });
      expect(stderr).toContain(fix);
      expect(stderr).not.toMatch(/bug|may read/);
    }
    expectFound(program, words);
  });
});

describe.skipIf(process.platform !== "linux" || !existsSync(join(REPOSITORY, "node_modules/keytar/build")))(
  "keytar",
  () => {
    const KEYCHAIN = { JC_VAULT_BACKEND: "keychain", DBUS_SESSION_BUS_ADDRESS: "unix:path=/nowhere" };

    test.each(UNFIT)("that %s", (_what, words, spoil) => {
      const program = installed("keytar");
      spoil(program.binary);
      for (const command of [["vault", "status"], ["serve"]]) {
        const { status, stderr } = program.run(command, KEYCHAIN);
        expect({ status, stderr }, command.join(" ")).toEqual({
          status: 2,
          stderr: expect.stringMatching(words),
        });
        expect(stderr).toContain(`--prefix '${program.directory}' run install`);
      }
      expectFound(program, words, { ...KEYCHAIN, JC_HUBSPOT_CLIENT_ID: "app" });
    });

    test("is mended by the command that is shown, as it is shown", () => {
      const program = installed("keytar");
      rmSync(join(program.directory, "build"), { recursive: true });
      const { stderr } = program.run(["vault", "status"], KEYCHAIN);
      const [, command = ""] = /→ (sudo .*)/.exec(stderr) ?? [];
      // Whoever runs this may write there anyway.
      const sudo = join(temporaryDirectory(tmpdir()), "sudo");
      writeFileSync(sudo, '#!/bin/sh\nexec "$@"\n');
      chmodSync(sudo, 0o755);
      const env = { ...process.env, PATH: `${join(sudo, "..")}:${process.env.PATH}` };
      execFileSync("bash", ["-c", command], { env, stdio: "ignore" });
      expect(existsSync(program.binary)).toBe(true);
      expect(program.run(["vault", "status"], KEYCHAIN)).toMatchObject({
        status: 5,
        stderr: expect.stringContaining("keychain cannot be used"),
      });
    });
  },
);
