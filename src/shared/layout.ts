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

/** No more on any terminal: the root's help is written out when the program is built. */
const HELP_COLUMNS = 80;

export function helpWidthOf(io: Io, env: Environment, stream: "out" | "err"): number {
  return Math.min(HELP_COLUMNS, widthOf(io, env, stream) ?? HELP_COLUMNS);
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
const INDENT = /^(?:\u001b\[[0-9;]*m)*( *(?:[!✓✗·–→-] +)?)/;

function wrapLine(line: string, width: number, units: Units, indent = indentOf(line, width)): string[] {
  if (displayWidth(line) <= width) return [line];
  const [lead = ""] = /^ */.exec(line) ?? [];
  const lines: string[] = [];
  let current: string | null = null;
  for (const unit of fitting(units(line.slice(lead.length)), width - indent.length)) {
    const longer: string = current === null ? lead + unit : `${current} ${unit}`;
    if (current !== null && displayWidth(longer) > width) {
      lines.push(current.trimEnd());
      current = indent + unit;
    } else current = longer;
  }
  return carryColours([...lines, (current ?? "").trimEnd()]);
}

function indentOf(line: string, width: number): string {
  return " ".repeat(Math.min(displayWidth(INDENT.exec(line)?.[1] ?? ""), width / 2));
}

/** Of a command line: an option with its value, and what is quoted. */
const TOGETHER = /--\S+ (?:"[^"]*"|'[^']*'|(?!--)\S+)|"[^"]*"|'[^']*'|\S+/g;

/** What stays together and is longer than a line is broken all the same, so that a shell takes it as one line. */
function fitting(units: readonly string[], width: number): string[] {
  return units.flatMap((unit) => {
    if (displayWidth(unit) <= width || !unit.includes(" ")) return [unit];
    const lines: string[] = [];
    for (const word of unit.match(TOGETHER) ?? []) {
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

/** Of the widest text. Not `Math.max(...)`: so many arguments as a log has rows no call takes. */
export function widest(texts: readonly string[]): number {
  let most = 0;
  for (const text of texts) most = Math.max(most, displayWidth(text));
  return most;
}

export interface Column {
  name: string;
  /** Where there is no room, those with the lowest number go first; without one it stays. */
  drop?: number;
  /** For who asked for everything: shown with `--wide` alone. */
  wide?: true;
  /** Its words stay on one line, as a time's do. */
  whole?: true;
  /** A text that goes below its row where there is no room beside the others. */
  below?: true;
}

export interface Laid {
  columns: readonly Column[];
  rows: string[][];
  /** Of each row; empty where nothing goes there. */
  below: string[];
  /** Names of the columns that there was no room for. */
  dropped: string[];
  /** Not even what has to stay fits side by side. */
  isTooNarrow: boolean;
}

const GAP = 2;
const BELOW_INDENT = 2;
/** A column of text is not made narrower than this to keep another one. */
const READABLE = 18;

/**
 * The table in so many columns: first texts are wrapped, then the one that may goes below its row, then columns are left
 * out, at last texts are wrapped to their words.
 */
export function layTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number | null,
): Laid {
  const all = columns.map((column, index) => ({
    column,
    index,
    ...(width === null ? UNMEASURED : measured(column, rows, index)),
  }));
  const below = width === null ? undefined : all.find(({ column }) => column.below);
  const whole = laid(all, rows, { width, least: READABLE });
  if (whole) return whole;
  const beside = all.filter((each) => each !== below);
  for (let shown = beside; ; ) {
    const found = laid(shown, rows, { width, least: READABLE, below });
    if (found) return { ...found, dropped: missingIn(shown, beside) };
    const next = shown.filter(isDroppable).toSorted(byDrop)[0];
    if (!next) {
      const tight = laid(shown, rows, { width, least: 0, below });
      return tight
        ? { ...tight, dropped: missingIn(shown, beside) }
        : { columns, rows: rows.map((row) => [...row]), below: [], dropped: [], isTooNarrow: true };
    }
    shown = shown.filter((each) => each !== next);
  }
}

interface Placed extends Measured {
  column: Column;
  index: number;
}

interface Measured {
  /** Of its widest line. */
  natural: number;
  longestWord: number;
}

const UNMEASURED: Measured = { natural: 0, longestWord: 0 };

function measured({ name }: Column, rows: readonly (readonly string[])[], at: number): Measured {
  const lines = [name, ...rows.flatMap((row) => (row[at] ?? "").split("\n"))];
  return { natural: widest(lines), longestWord: widest(lines.flatMap((line) => line.split(" "))) };
}

function isDroppable({ column }: Placed): boolean {
  return column.drop !== undefined;
}

function byDrop(a: Placed, b: Placed): number {
  return (a.column.drop ?? 0) - (b.column.drop ?? 0);
}

function missingIn(shown: readonly Placed[], all: readonly Placed[]): string[] {
  return all.filter((each) => !shown.includes(each)).map(({ column }) => column.name);
}

/** Null where it does not fit. */
function laid(
  shown: readonly Placed[],
  rows: readonly (readonly string[])[],
  { width, least, below }: { width: number | null; least: number; below?: Placed | undefined },
): Laid | null {
  const columns = shown.map(({ column }) => column);
  const cells = rows.map((row) => shown.map(({ index }) => row[index] ?? ""));
  const widths = width === null ? [] : fittedWidths(shown, { width, least });
  if (widths === null) return null;
  const wrappedRows = cells.map((row) => row.map((cell, at) => wrappedCell(cell, widths[at] ?? null)));
  const whole = { columns, rows: wrappedRows, below: [], dropped: [], isTooNarrow: false };
  if (below === undefined || width === null) return whole;
  const room = width - widths.reduce((sum, each) => sum + each + GAP, 0);
  const texts = rows.map((row) => (row[below.index] ?? "").trim());
  const isBeside = (text: string) => !text.includes("\n") && displayWidth(text) <= room;
  const hasBeside =
    displayWidth(below.column.name) <= room && texts.some((text) => text !== "" && isBeside(text));
  return {
    ...whole,
    columns: hasBeside ? [...columns, below.column] : columns,
    rows: hasBeside
      ? wrappedRows.map((row, at) => [...row, isBeside(texts[at] ?? "") ? (texts[at] ?? "") : ""])
      : wrappedRows,
    below: texts.map((text) => (hasBeside && isBeside(text) ? "" : indented(text, width))),
  };
}

function indented(text: string, width: number): string {
  const indent = " ".repeat(BELOW_INDENT);
  return text
    .split("\n")
    .map((line) => (line === "" ? "" : wrapped(indent + line, width)))
    .join("\n");
}

/** Its lines begin at the column's edge, whatever mark they have. */
function wrappedCell(cell: string, width: number | null): string {
  if (width === null) return cell;
  return cell
    .split("\n")
    .flatMap((line) => wrapLine(line, width, words, ""))
    .join("\n");
}

/** Null where it does not fit. The widest column gives way first, down to its longest word. */
function fittedWidths(
  shown: readonly Placed[],
  { width, least }: { width: number; least: number },
): number[] | null {
  const smallest = shown.map(({ column, natural, longestWord }) =>
    column.whole ? natural : Math.min(natural, Math.max(longestWord, least)),
  );
  const widths = shown.map(({ natural }) => natural);
  const room = width - GAP * (shown.length - 1);
  for (let over = widths.reduce((sum, each) => sum + each, 0) - room; over > 0; over -= 1) {
    const slack = widths.map((each, at) => (each > (smallest[at] ?? 0) ? each : 0));
    const most = Math.max(...slack);
    if (most === 0) return null;
    widths[slack.indexOf(most)] = most - 1;
  }
  return widths;
}
