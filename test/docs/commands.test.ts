/** Every command line of ours in a document is one that the program takes, and every link leads to what is there. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { createProgram } from "../../src/main.ts";
import { outsideOf } from "../outside.ts";

const root = new URL("../../", import.meta.url);
const DOCUMENTS = [
  ...["README.md", "SECURITY.md", "CONTRIBUTING.md"],
  ...readdirSync(new URL("docs/", root))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];
const textOf = (path: string) => readFileSync(new URL(path, root), "utf8");

/** The command lines in shell blocks and in `code`, as far as the program is called in them. */
function linesIn(text: string): string[] {
  const blocks = [...text.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block = ""]) =>
    block.replace(/<<'EOF'\n.*?\nEOF/gs, "").split("\n"),
  );
  const quoted = [...text.replace(/```.*?```/gs, "").matchAll(/`(jc-integrations [^`]+)`/g)].map(
    ([, line = ""]) => line,
  );
  return [...blocks, ...quoted]
    .map((line) => line.replace(/(^|\s)#.*$| < \S+$/g, ""))
    .flatMap((line) => line.split(/\|\||&&|[|;]|<\(/))
    .map((part) => part.trim().replace(/^(?:sudo |env |-u \w+ |\w+=\S+ )+/, ""))
    .flatMap((part) => /^jc-integrations +(.+?)(?: > \S+|\))?$/.exec(part)?.[1] ?? []);
}

/** As a shell takes it apart; what people put in themselves is a word. */
function wordsOf(line: string): string[] {
  const filled = line.replace(/<[\w .-]+>|…|\$\w+/g, "1").replace(/\[[\w .|-]+\]/g, "");
  return [...filled.matchAll(/(?:"[^"]*"|'[^']*'|\S)+/g)].map(([word]) =>
    word.replace(/^(["'])(.*)\1$/, "$2"),
  );
}

async function faultOf(line: string): Promise<string | null> {
  const words = wordsOf(line);
  const inner = words.indexOf("--");
  if (words[0] === "service" && words[1] === "exec" && inner > 0)
    return await faultOf(words.slice(inner + 1).join(" "));
  if (words.some((word) => ["--help", "-h", "--version", "-V"].includes(word))) return null;
  const said: string[] = [];
  const program = await createProgram(
    outsideOf((text) => said.push(text)),
    { first: undefined, asJson: false },
  );
  withoutActions(program);
  // A whole group is spoken of by its name alone.
  const group = words.length === 1 && program.commands.find((each) => each.name() === words[0]);
  if (group && group.commands.length > 0) return null;
  return await program.parseAsync(words, { from: "user" }).then(
    () => null,
    () => said.join("") || "error",
  );
}

function withoutActions(command: Command): void {
  if (command.commands.length === 0 || command.registeredArguments.length > 0) command.action(() => {});
  command.commands.forEach(withoutActions);
}

describe.each(DOCUMENTS)("%s", (document) => {
  const text = textOf(document);

  test("names no command line that the program refuses", async () => {
    const faults: string[] = [];
    for (const line of new Set(linesIn(text))) {
      const fault = await faultOf(line);
      if (fault !== null) faults.push(`${line}: ${fault.split("\n")[0]}`);
    }
    expect(faults).toEqual([]);
  });

  test("leads to nothing that is not there", () => {
    const links = [...text.replace(/```.*?```/gs, "").matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(
      ([, to = ""]) => to,
    );
    const here = new URL(document, root);
    expect(links.filter((to) => !/^https?:/.test(to) && !existsSync(new URL(to, here)))).toEqual([]);
  });
});

test("lines are found in blocks and in code, and what is none is refused", async () => {
  const text = "```sh\ncurl x || jc-integrations status # well\n```\n`jc-integrations nonsense`";
  expect(linesIn(text)).toEqual(["status", "nonsense"]);
  expect(await faultOf("nonsense")).toContain("error");
  expect(await faultOf("service exec -- connect")).toContain("error");
  expect(await faultOf("connect hubspot --nonsense")).toContain("error");
});
