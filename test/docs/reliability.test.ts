/** What the documents promise to be tried has a test. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const textOf = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

describe("docs/reliability.md", () => {
  const rows = textOf("docs/reliability.md")
    .split("\n")
    .filter((line) => /^\| (?!fault |---)/.test(line))
    .map((line) => line.split(" | "));

  test("has a test for every fault, or says why there is none", () => {
    expect(rows.length).toBeGreaterThan(15);
    const missing = rows.filter(([, , tried = ""]) => {
      const [, path, title] = /^`(test\/[^`]+)`: "(.+)" \|$/.exec(tried) ?? [];
      if (path === undefined || title === undefined) return !/^none: \w/.test(tried);
      return !existsSync(new URL(`../../${path}`, import.meta.url)) || !textOf(path).includes(title);
    });
    expect(missing).toEqual([]);
  });
});
