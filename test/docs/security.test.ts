/** What docs/security.md says to be protected has a test of that name. */
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const textOf = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const [protections = ""] = textOf("docs/security.md").split("\n## Before and after");
const rows = protections.split("\n").filter((line) => /^\| (?!what \||---)/.test(line));

/** Each `file: "name"` of a row's last column; null where that is something else. */
function testsIn(row: string): { path: string; title: string }[] | null {
  const last = row.replace(/ \|$/, "").split(" | ").at(-1) ?? "";
  if (/^none: \w/.test(last)) return [];
  const tests = last.split(/; (?=`)/).map((each) => /^`(test\/[^`]+)`: "(.+)"$/.exec(each));
  return tests.includes(null)
    ? null
    : tests.map((each) => ({ path: each?.[1] ?? "", title: each?.[2] ?? "" }));
}

test("each protection names its tests, or says why there is none", () => {
  expect(rows.length).toBeGreaterThan(25);
  expect(rows.filter((row) => testsIn(row) === null)).toEqual([]);
});

test("each of them exists", () => {
  const named = rows.flatMap((row) => testsIn(row) ?? []);
  const missing = named.filter(
    ({ path, title }) =>
      !existsSync(new URL(`../../${path}`, import.meta.url)) || !textOf(path).includes(title),
  );
  expect(missing).toEqual([]);
});

test.each(["stranger", "Another org", "local user", "service's user", "The vendor", "thief of a backup"])(
  "protection from %s has a part of its own",
  (whom) => {
    expect(protections).toMatch(new RegExp(`^## .*${whom}`, "m"));
  },
);
