/** What people read fits into the width there is, on stdout and on stderr, with and without colours. */
import { appendFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { displayWidth } from "../../src/shared/layout.ts";
import type { RunOptions, World } from "../world.ts";
import { LOOKS, troubled } from "./troubled.ts";

const WIDTHS = [60, 80, 120];
/** Mistyped, or not to be done as things are. */
const REFUSALS = [
  "replay",
  "status --org nobody",
  "logs --since soon",
  "logs --runs --follow",
  "invites show nope",
  "invites list --status nonsense",
  "webhooks log --vendor nobody",
  "secrets set nonsense",
  "backup verify nothing",
  "restore nothing --no-input",
  "run nothing",
  "connect nobody",
  "connect hubspot --nonsense",
  "sandbox-test hubspot",
  "sandbox-test smartrecruiters --no-input",
  "nonsense",
  "alerts test",
];

const argvOf = (line: string) => line.split(" ");
/** As they stand at last: a line that is drawn anew has nothing before. */
const linesOf = (text: string) =>
  text.split("\n").map((line) => stripVTControlCharacters(line.split("\r\u001b[2K").at(-1) ?? ""));

/** A word that is longer than the line has it to itself. */
function tooLong(text: string, width: number): string[] {
  return linesOf(text).filter(
    (line) => displayWidth(line) > width && /\S\s+\S/.test(line.replace(/^\s*[!✓✗·–-]\s/, "")),
  );
}

function wordsIn(text: string): Set<string> {
  // A pill has its brackets only where it has no colour.
  return new Set(
    linesOf(text).flatMap((line) => line.replace(/\[((?:Not )?[Cc]onnected)\]/, "$1").split(/\s+/)),
  );
}

const NOTE = /not shown for want of room:[^)]*\)/g;

/** What is no word of the same output without a width: a part of one. */
function brokenWords(narrow: string, whole: string): string[] {
  const known = wordsIn(whole);
  return [...wordsIn(narrow.replace(NOTE, ""))].filter((word) => {
    if (word === "\\" || word === "" || known.has(word)) return false;
    // Row by row a heading has a colon.
    return !(word.endsWith(":") && known.has(word.slice(0, -1)));
  });
}

async function misfits(world: World, line: string, whole: string, options: RunOptions & { width: number }) {
  const { width, ...how } = options;
  const { out, err } = await world.run(argvOf(line), how);
  return [...tooLong(out + err, width), ...brokenWords(out + err, whole)].map(
    (each) => `${line} at ${width}: ${each}`,
  );
}

/** In colours at the first width. */
async function misfitsOf(
  world: World,
  lines: readonly string[],
  widths: readonly number[],
): Promise<string[]> {
  const found: string[] = [];
  for (const line of lines) {
    const { out, err } = await world.run(argvOf(line));
    expect(out + err, line).not.toBe("");
    for (const width of widths) {
      const plain = { width, env: { COLUMNS: String(width), NO_COLOR: "1" } };
      found.push(...(await misfits(world, line, out + err, plain)));
    }
    const width = widths[0] ?? 80;
    const coloured = { width, isTerminal: true, columns: width, env: { TERM: "xterm-256color" } };
    found.push(...(await misfits(world, line, out + err, coloured)));
  }
  return found;
}

describe("what people read", () => {
  test("has no line over the width and no broken word, whatever is looked at or refused", async () => {
    const world = await troubled();
    expect(await misfitsOf(world, LOOKS, WIDTHS)).toEqual([]);
    expect(await misfitsOf(world, REFUSALS, [60])).toEqual([]);
    if (process.env.JC_SHOW_WIDTHS)
      for (const width of WIDTHS)
        for (const line of [...LOOKS, ...REFUSALS]) {
          const { out, err } = await world.run(argvOf(line), { env: { COLUMNS: String(width) } });
          appendFileSync(process.env.JC_SHOW_WIDTHS, `\n===== ${width}: ${line}\n${out}--\n${err}`);
        }
    const coloured = await world.run(["status"], { isTerminal: true, columns: 60, env: { TERM: "xterm" } });
    expect(coloured.out).toContain("\u001b[");
  });
});
