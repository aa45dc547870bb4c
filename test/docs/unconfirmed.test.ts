/** Whoever gets a real account types what stands there, so it is what the program takes. */
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { globalKeys } from "../../src/shared/config-keys.ts";
import { VENDORS } from "../../src/vendors/index.ts";
import { freshWorld } from "../world.ts";

const root = new URL("../../", import.meta.url);
const textOf = (path: string) => readFileSync(new URL(path, root), "utf8");
const text = textOf("docs/unconfirmed.md");
const quoted = [...text.matchAll(/`([^`\n]+)`/g)].map(([, words = ""]) => words);
const commands = [...new Set(quoted.filter((words) => words.startsWith("jc-integrations ")))];

test("every row says what it rests on and what would show it", () => {
  const rows = text.split("\n").filter((line) => /^\| (?!taken for granted|---)/.test(line));
  expect(rows.length).toBeGreaterThan(25);
  for (const row of rows) {
    const [, , rests = "", shown = ""] = row.split("|").map((cell) => cell.trim());
    expect(rests, row).toMatch(/official|seen|ours|guide|third parties/i);
    expect(shown, row).toMatch(/`jc-integrations |^none: \w/);
  }
});

test.each(commands)("%s is a command of the program, with these options", async (command) => {
  const world = await freshWorld();
  const words = command
    .replaceAll(/<[^>]+>/g, "x")
    .split(" ")
    .slice(1);
  // Help ends before anything is done, and behind it nothing mistyped is taken.
  const { code, out, err } = await world.run([...words.filter((word) => !word.startsWith("-")), "--help"]);
  expect(code, err).toBe(0);
  const shared = ["--verbose", "--yes", "--json"];
  for (const option of words.filter((word) => word.startsWith("--") && !shared.includes(word)))
    expect(out, command).toContain(option);
});

test("every setting that is named is one", () => {
  const keys = Object.keys(globalKeys(VENDORS));
  const named = quoted.flatMap((words) => /^(?:hubspot|smartrecruiters)\.[a-z_]+/.exec(words) ?? []);
  expect(named.length).toBeGreaterThan(2);
  expect(named.filter((name) => !keys.includes(name))).toEqual([]);
});

test("README and the architecture lead to it, and it to what is there", () => {
  expect(textOf("README.md")).toContain("(docs/unconfirmed.md)");
  expect(textOf("docs/architecture.md")).toContain("unconfirmed.md");
  const links = [...text.matchAll(/\]\(([^)#]+)\)/g)].map(([, to = ""]) => to);
  expect(links.filter((to) => !existsSync(new URL(`docs/${to}`, root)))).toEqual([]);
});
