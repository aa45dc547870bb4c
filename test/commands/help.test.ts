/** What the program says of itself, as help, as man pages and as a document. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { expect, test } from "vitest";
import { createProgram } from "../../src/main.ts";
import { VERSION } from "../../src/shared/version.ts";
import { dist } from "../built.ts";
import { outsideOf } from "../outside.ts";
import { freshWorld } from "../world.ts";

const textOf = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const program = await createProgram(outsideOf(), { first: undefined, asJson: false });

function pathsIn(command: Command, path: readonly string[] = []): string[][] {
  const below = command.commands.flatMap((each) => pathsIn(each, [...path, each.name()]));
  return [[...path], ...below];
}

const ALL = pathsIn(program);

test("each command's help, and the program's own, fits 80 columns and ends with an example", async () => {
  expect(ALL.length).toBeGreaterThan(50);
  const world = await freshWorld();
  for (const path of ALL) {
    const { code, out } = await world.run([...path, "--help"]);
    expect(code).toBe(0);
    const name = path.join(" ");
    expect(
      out.split("\n").filter((line) => [...line].length > 80),
      name,
    ).toEqual([]);
    expect(out, name).toMatch(/\nExamples?:\n(?: {2}.*jc-integrations .*\n)+$/);
    if (path.length > 0) expect(out, name).toMatch(/\nGlobal Options:\n(?:.*\n)*.*--state-dir <dir>/);
    expect(await world.run(["help", ...path])).toMatchObject({ code: 0, out });
  }
});

test("the program's help shows commands in groups, each of them once", async () => {
  const { out } = await (await freshWorld()).run(["help"]);
  expect(out.match(/^\w+:$/gm)).toEqual([
    "Options:",
    "Connect:",
    "Watch:",
    "Repair:",
    "Run:",
    "Try:",
    "Example:",
  ]);
  for (const { name } of program.commands.map((each) => ({ name: each.name() })))
    expect(out.match(new RegExp(`^  ${name}(?: |$)`, "gm")), name).toHaveLength(1);
});

test("-V and --version say the version", async () => {
  const world = await freshWorld();
  for (const word of ["-V", "--version"])
    expect(await world.run([word])).toMatchObject({ code: 0, out: `${VERSION}\n` });
});

test("help names the vendors wherever one is to be named", () => {
  const taking = ALL.map((path) =>
    path.reduce((at, name) => at.commands.find((each) => each.name() === name) ?? at, program),
  )
    .flatMap((command) => [
      ...command.registeredArguments.map((each) => [each.name(), each.description]),
      ...command.options.map((each) => [each.attributeName(), each.description]),
    ])
    .filter(([name]) => name === "vendor");
  expect(taking.length).toBeGreaterThan(8);
  for (const [, words] of taking) expect(words).toMatch(/hubspot|smartrecruiters/);
});

test("help for a command that is none names the nearest, and ends with 2", async () => {
  const world = await freshWorld();
  expect(await world.run(["help", "backup", "lst"])).toMatchObject({
    code: 2,
    err: "Error: there is no command backup lst\n  → Did you mean backup list?\n",
  });
});

test("docs/reference.md is what the command tree says: after a change run `npm run docs`", async () => {
  const { out } = await (await freshWorld()).run(["help", "--all"]);
  expect(textOf("docs/reference.md")).toBe(out);
  for (const path of ALL.slice(1)) expect(out).toContain(`\n### ${path.join(" ")}\n`);
});

test("a man page of each command lies in dist/, without a fault that man would see", () => {
  const directory = fileURLToPath(new URL("man/man1/", dist()));
  const pages = readdirSync(directory);
  const names = program.commands.map((each) => `jc-integrations-${each.name()}.1`);
  expect(pages.toSorted()).toEqual(["jc-integrations.1", ...names].toSorted());
  for (const page of pages) expect(readFileSync(directory + page, "utf8")).toMatch(/^\.TH JC-INTEGRATIONS/);
  const files = pages.map((page) => directory + page);
  const mandoc = spawnSync("mandoc", ["-T", "lint", "-W", "warning", ...files], { encoding: "utf8" });
  // Without a date, since what is built twice is the same twice.
  const faults = mandoc.error
    ? []
    : mandoc.stdout.split("\n").filter((line) => !/missing date|^$/.test(line));
  expect(faults).toEqual([]);
  if (mandoc.error) expect(process.env.JC_TEST_ALL_PARTS).not.toBe("1");
});

test.each(["/proc/x", "/dev/null/x", "/etc/passwd", ""])(
  "man pages that cannot be written into %j end with 2, in words",
  async (directory) => {
    const world = await freshWorld();
    const { code, err } = await world.run(["help", "--man-pages", directory]);
    expect(code).toBe(2);
    expect(err).toMatch(/cannot be written into|names no directory/);
  },
);

test("no option and no word of help is lost in a man page", () => {
  const page = textOf("dist/man/man1/jc-integrations-connect.1").replaceAll("\\-", "-");
  for (const words of [
    "--via-service",
    "hubspot or smartrecruiters",
    "jc-integrations connect hubspot --org acme --confirm",
    "--state-dir <dir>",
  ])
    expect(page).toContain(words);
});
