import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { freshWorld } from "./world.ts";
import { dist } from "./built.ts";
import { temporaryDirectory } from "./directory.ts";

dist();

const PROGRAM = fileURLToPath(new URL("../bin/jc-integrations.js", import.meta.url));

test.each(["--help", "-h", "--version"])(
  "%s, answered before the program is loaded, says what the program says",
  async (word) => {
    const world = await freshWorld();
    const { out, code } = await world.run([word]);
    expect(code).toBe(0);
    expect(execFileSync(process.execPath, [PROGRAM, word], { encoding: "utf8" })).toBe(out);
  },
);

test("a command that is called alone helps and refuses as it does among all of them", async () => {
  const world = await freshWorld();
  for (const rest of [["--help"], ["--nonsense"]]) {
    const alone = await world.run(["status", ...rest]);
    const among = await world.run(["--no-color", "status", ...rest]);
    expect(alone).toEqual(among);
    expect(alone.out + alone.err).not.toBe("");
  }
});

/** As a power failure leaves it: the right size, and nothing in one place. */
function damaged(file: Buffer): Buffer {
  const from = Math.floor(file.length / 4);
  return file.fill(0, from, from + 4_096);
}

/** One digit of how long the code is. */
function shifted(file: Buffer): Buffer {
  return Buffer.from(file.toString("latin1").replace(/("length":\d*)\d/, "$17"), "latin1");
}

function ofAnotherNode(file: Buffer): Buffer {
  return Buffer.from(file.toString("latin1").replaceAll(process.version, "v99.0.0"), "latin1");
}

test.each([
  ["missing", (file: string) => rmSync(file)],
  ["cut off", (file: string) => truncateSync(file, Math.floor(readFileSync(file).length / 2))],
  ["damaged", (file: string) => writeFileSync(file, damaged(readFileSync(file)))],
  [
    "damaged in the line that tells its parts",
    (file: string) => writeFileSync(file, shifted(readFileSync(file))),
  ],
  ["of another Node", (file: string) => writeFileSync(file, ofAnotherNode(readFileSync(file)))],
  ["something else", (file: string) => writeFileSync(file, "no code\nat all")],
])("the program starts where the code kept of it is %s", (_what, spoil) => {
  const { installed, run } = installation();
  run("run", "retry");
  const before = run("status");
  for (const name of ["status.cjs.code", "status-of-log.cjs.code"]) spoil(join(installed, "dist", name));
  expect(run("status")).toBe(before);
});

test("the text that lies in dist/ is what runs, also where code was kept of another text of that length", () => {
  const { installed, run } = installation();
  run("run", "retry");
  const before = run("status");
  expect(before).toContain("next sweep");
  const chunks = readdirSync(join(installed, "dist")).filter((name) => name.endsWith(".cjs"));
  for (const name of chunks) {
    const file = join(installed, "dist", name);
    writeFileSync(file, readFileSync(file, "utf8").replaceAll("next sweep", "NEXT SWEEP"));
  }
  expect(run("status")).toBe(before.replaceAll("next sweep", "NEXT SWEEP"));
});

/** The program as it is installed, in a place where it may be spoiled. */
function installation() {
  const installed = temporaryDirectory(tmpdir());
  const repository = fileURLToPath(new URL("..", import.meta.url));
  for (const part of ["bin", "dist"])
    cpSync(join(repository, part), join(installed, part), { recursive: true });
  symlinkSync(join(repository, "node_modules"), join(installed, "node_modules"));
  const home = join(installed, "home");
  mkdirSync(home);
  const run = (...words: string[]) =>
    execFileSync(process.execPath, [join(installed, "bin/jc-integrations.js"), ...words], {
      encoding: "utf8",
      env: { HOME: home },
    });
  return { installed, run };
}
