import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const root = new URL("../../", import.meta.url);
const text = readFileSync(new URL("docs/architecture.md", root), "utf8");
const paths = [...text.matchAll(/`((?:src|test|bin|docs)\/[^`\s]*)`/g)].map(([, path = ""]) => path);

test("every path in docs/architecture.md exists", () => {
  expect(paths.length).toBeGreaterThan(30);
  expect(paths.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
});

test("a path to a folder ends with a slash, and no other does", () => {
  const isFolder = (path: string) => !/\.\w+$/.test(path);
  expect(paths.filter((path) => isFolder(path) !== path.endsWith("/"))).toEqual([]);
});

test("every folder of src is on the page", () => {
  const folders = readdirSync(new URL("src/", root), { withFileTypes: true }).filter((each) =>
    each.isDirectory(),
  );
  for (const { name } of folders) expect(text).toMatch(new RegExp(`\`(src/)?${name}[/\`]`));
});

test("README leads to it", () => {
  expect(readFileSync(new URL("README.md", root), "utf8")).toContain("(docs/architecture.md)");
});
