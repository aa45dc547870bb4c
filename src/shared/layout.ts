/** Output that fits: words wrapped and never broken, tables that leave out columns where there is no room. Pure. */
import type { Environment } from "./config.ts";
import type { Io } from "./io.ts";

/** Narrower than this nothing is readable, and nothing becomes better by trying. */
const NARROWEST = 40;

/**
 * Columns that there are for a line: those of the terminal, else of `COLUMNS`. Null for any number: what reads a pipe or a
 * file, as `grep` does, wants whole lines and every column.
 */
export function widthOf(io: Io, env: Environment, stream: "out" | "err"): number | null {
  const isTerminal = stream === "out" ? io.stdoutIsTerminal : io.stderrIsTerminal;
  const columns = isTerminal ? io.columns() : Number(env.COLUMNS);
  return Number.isInteger(columns) && columns > 0 ? Math.max(NARROWEST, columns) : null;
}

/** Parts of a line that stay together: words, unless somebody knows better. */
export type Units = (line: string) => string[];

const words: Units = (line) => line.split(" ");

/** Each line that is too long goes on below, indented as its own text is. */
export function wrapped(text: string, width: number | null, units: Units = words): string {
  if (width === null) return text;
  return text
    .split("\n")
    .flatMap((line) => wrapLine(line, width, units))
    .join("\n");
}

/** Where a line's own text begins: behind its blanks and its mark. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: a mark may have a colour
const INDENT = /^(?:\u001b\[[0-9;]*m)*( *(?:[!✓✗·–-] +)?)/;

function wrapLine(line: string, width: number, units: Units): string[] {
  if (displayWidth(line) <= width) return [line];
  const [lead = ""] = /^ */.exec(line) ?? [];
  const indent = " ".repeat(Math.min(displayWidth(INDENT.exec(line)?.[1] ?? ""), width / 2));
  const lines: string[] = [];
  let current: string | null = null;
  for (const unit of fitting(units(line.slice(lead.length)), width - indent.length)) {
    const longer: string = current === null ? lead + unit : `${current} ${unit}`;
    if (current !== null && displayWidth(longer) > width) {
      lines.push(current.trimEnd());
      current = indent + unit;
    } else current = longer;
  }
  return carryColours([...lines, current ?? ""]);
}

/** What stays together and is longer than a line is broken all the same, so that a shell takes it as one line. */
function fitting(units: readonly string[], width: number): string[] {
  return units.flatMap((unit) => {
    if (displayWidth(unit) <= width || !unit.includes(" ")) return [unit];
    const lines: string[] = [];
    for (const word of unit.split(" ")) {
      const last = lines.at(-1);
      if (last !== undefined && displayWidth(`${last} ${word} \\`) <= width)
        lines[lines.length - 1] = `${last} ${word}`;
      else lines.push(word);
    }
    return lines.map((part, index) => (index < lines.length - 1 ? `${part} \\` : part));
  });
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what this is about
const COLOUR = /\u001b\[([0-9;]*)m/g;
const END = "\u001b[0m";

/** A colour ends with its line and begins again on the next: beside it, in a table, others have theirs. */
function carryColours(lines: readonly string[]): string[] {
  let open: string[] = [];
  return lines.map((line) => {
    const before = open.join("");
    for (const [code, number = ""] of line.matchAll(COLOUR)) {
      // Each colour that chalk begins it ends, in reverse order.
      open = /^(?:0|22|23|24|27|39|49)?$/.test(number) ? open.slice(0, -1) : [...open, code];
    }
    const isText = before !== "";
    return `${isText ? line.replace(/^ */, (blanks) => blanks + before) : line}${open.length > 0 ? END : ""}`;
  });
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const NO_WIDTH = /\p{Mn}|\p{Me}|\p{Cf}/u;

/** Columns that a line takes on a terminal, its colours aside. */
export function displayWidth(text: string): number {
  const shown = text.includes("\u001b") ? text.replace(COLOUR, "") : text;
  if (/^[\x20-\x7e]*$/.test(shown)) return shown.length;
  let width = 0;
  for (const character of shown) width += NO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

export interface Column {
  name: string;
  /** Where there is no room, those with the lowest number go first; without one it stays. */
  drop?: number;
  /** For who asked for everything: shown with `--wide` alone. */
  wide?: true;
}

export interface Laid {
  columns: readonly Column[];
  rows: string[][];
  /** Names of the columns that there was no room for. */
  dropped: string[];
  /** Not even what has to stay fits side by side. */
  isTooNarrow: boolean;
}

const GAP = 2;
/** A column of text is not made narrower than this to keep another one. */
const READABLE = 18;

/** The table in so many columns: first texts are wrapped, then columns are left out, at last texts are wrapped to their words. */
export function layTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number | null,
): Laid {
  let shown = columns.map((column, index) => ({ column, index }));
  const whole = () => rows.map((row) => shown.map(({ index }) => row[index] ?? ""));
  const laid = (widths: readonly number[] | null, isTooNarrow = false): Laid => ({
    columns: shown.map(({ column }) => column),
    rows: whole().map((row) =>
      row.map((cell, at) => (widths === null ? cell : wrapped(cell, widths[at] ?? null))),
    ),
    dropped: columns
      .filter((column) => shown.every((each) => each.column !== column))
      .map(({ name }) => name),
    isTooNarrow,
  });
  if (width === null) return laid(null);
  for (;;) {
    const headings = shown.map(({ column }) => column.name);
    const readable = fittedWidths([headings, ...whole()], width, READABLE);
    if (readable) return laid(readable);
    const next = shown
      .filter(({ column }) => column.drop !== undefined)
      .toSorted((a, b) => (a.column.drop ?? 0) - (b.column.drop ?? 0))[0];
    if (!next) {
      const tight = fittedWidths([headings, ...whole()], width, 0);
      return tight ? laid(tight) : laid(null, true);
    }
    shown = shown.filter((each) => each !== next);
  }
}

/** Null where it does not fit. The widest column gives way first, down to its longest word. */
function fittedWidths(rows: readonly (readonly string[])[], width: number, least: number): number[] | null {
  const count = rows[0]?.length ?? 0;
  const natural: number[] = [];
  const smallest: number[] = [];
  for (let at = 0; at < count; at += 1) {
    const cells = rows.map((row) => row[at] ?? "").flatMap((cell) => cell.split("\n"));
    natural[at] = Math.max(0, ...cells.map(displayWidth));
    const longestWord = Math.max(0, ...cells.flatMap((cell) => cell.split(" ").map(displayWidth)));
    smallest[at] = Math.min(natural[at] ?? 0, Math.max(longestWord, least));
  }
  const widths = [...natural];
  const room = width - GAP * (count - 1);
  let over = widths.reduce((sum, each) => sum + each, 0) - room;
  while (over > 0) {
    const slack = widths.map((each, at) => (each > (smallest[at] ?? 0) ? each : 0));
    const widest = Math.max(...slack);
    if (widest === 0) return null;
    const at = slack.indexOf(widest);
    widths[at] = widest - 1;
    over -= 1;
  }
  return widths;
}
