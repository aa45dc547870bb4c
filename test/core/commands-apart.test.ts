/** Who copies a command from a hint, a banner or a report copies no full stop and no quote with it. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const SOURCES = new URL("../../src/", import.meta.url);
const MAKES_ONE =
  "(?:[A-Z_]*COMMANDS?|STOP_SERVICE|\\w+Command|connectAgain|connectHint|reaching|restartWith)";
const COMMAND = new RegExp(`^${MAKES_ONE}(?:\\(|$)`);
const HELD = new RegExp(`const (\\w+) = ${MAKES_ONE}(?:\\(|;)`, "g");
/** Several in one text: `….map((each) => connectCommand(each)).join("; ")`. */
const JOINED = new RegExp(
  `=> ${MAKES_ONE}\\([^;]*?\\)\\)\\s*\\.join\\(["'][^\\s\\w"'\\\\][^"']*["']\\)`,
  "g",
);

test("no command is written with punctuation right behind it", () => {
  const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".ts"),
  );
  expect(files.length).toBeGreaterThan(100);
  const found = files.flatMap((path) =>
    touchedIn(readFileSync(new URL(path, SOURCES), "utf8")).map((text) => `${path}: ${text}`),
  );
  expect(found).toEqual([]);
});

test.each([
  ["`Run: $" + "{connectCommand(of)}. Nothing was changed.`", 1],
  ["`run \\`$" + "{SERVE_COMMAND}\\``", 1],
  ["`$" + "{runCommand({ a: { b: 1 } })}, or once: $" + "{RETRY_COMMAND}`", 1],
  ["const again = connectCommand(of); const hint = `$" + "{again}; then wait`;", 1],
  ['all.map((each) => connectCommand({ ...each })).join("; ")', 1],
  ["`Run: $" + "{connectCommand(of)}`", 0],
  ["`Run: $" + "{connectCommand(of)}\\nNothing was changed.`", 0],
  ["`$" + "{logsCommand(of)} says why, $" + "{words}.`", 0],
])("in %s one is found %d times", (text, times) => {
  expect(touchedIn(text)).toHaveLength(times);
});

function touchedIn(text: string): string[] {
  const held = new Set([...text.matchAll(HELD)].map(([, name]) => name ?? ""));
  const isOne = (expression: string) => COMMAND.test(expression) || held.has(expression);
  const touched = parts(text)
    .filter(({ expression, after }) => isOne(expression) && /^(?:\\`|[^\s\w`\\<])/.test(after))
    .map(({ expression, after }) => `${expression}${after.slice(0, 20)}`);
  return [...touched, ...[...text.matchAll(JOINED)].map(([found]) => found)];
}

/** What a template puts in, and what comes behind it. */
function parts(text: string): { expression: string; after: string }[] {
  return [...text.matchAll(/\$\{/g)].map(({ index }) => {
    let end = index + 2;
    for (let depth = 1; depth > 0 && end < text.length; end += 1)
      depth += text[end] === "{" ? 1 : text[end] === "}" ? -1 : 0;
    return { expression: text.slice(index + 2, end - 1), after: text.slice(end) };
  });
}
