import { Chalk, type ChalkInstance } from "chalk";
import Table from "cli-table3";
import type { Clock } from "./clock.ts";
import type { Environment } from "./config.ts";
import type { Io } from "./io.ts";
import { type Column, displayWidth, type Laid, layTable, type Units, widest, wrapped } from "./layout.ts";
import { grouped } from "./text.ts";

/** How output for people looks: colours, tables, pills, progress. Loaded only when something is shown. */
export interface Terminal {
  paint: ChalkInstance;
  /** Columns that a line on stdout has; null for any number. */
  width: number | null;
  /** Somebody asked for everything (`--wide`). */
  isWide: boolean;
  /** Stderr can draw a line anew. */
  redraws: boolean;
  /**
   * Aligned columns under dim headings, without a frame, in the width there is. What there is no room for is left out, and
   * named below; what does not fit at all is told row by row.
   */
  table(headings: readonly Heading[], rows: readonly (readonly string[])[]): string;
  /** A text in the width there is. */
  fit(text: string): string;
  pill(text: string, tone: Tone): string;
  /**
   * A line that redraws itself on a terminal, and elsewhere shows up at its end, without a bar. `from`: what was done before it; rate and
   * time left do not count that.
   */
  progress(label: string, total: number | null, from?: number): Progress;
}

/** A name alone: the column stays whatever the width. */
export type Heading = string | Column;

export type Tone = "good" | "off" | "warning" | "bad";

export interface Progress {
  set(done: number, note?: string): void;
  /** Makes room for other lines; the next `set` draws it below them. */
  clear(): void;
  end(): void;
}

/** chalk 5 heeds neither NO_COLOR nor CLICOLOR: the level is ours to choose. */
export function colourLevel(env: Environment, isTerminal: boolean, noColour: boolean): 0 | 1 | 2 {
  if (noColour || env.NO_COLOR) return 0;
  if ((env.FORCE_COLOR && env.FORCE_COLOR !== "0") || (env.CLICOLOR_FORCE && env.CLICOLOR_FORCE !== "0"))
    return 1;
  if (!isTerminal || env.TERM === "dumb" || env.FORCE_COLOR === "0" || env.CLICOLOR === "0") return 0;
  return env.COLORTERM || /256/.test(env.TERM ?? "") ? 2 : 1;
}

export function canRedraw(env: Environment, isTerminal: boolean): boolean {
  return isTerminal && env.TERM !== "dumb";
}

const NO_FRAME = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
};

export interface Shape {
  level: 0 | 1 | 2;
  width: number | null;
  isWide: boolean;
  /** What stays together on a line; words unless given. */
  units?: Units;
  /** Stderr can draw a line anew: a terminal, and none that calls itself dumb. */
  redraws: boolean;
}

export function createTerminal(
  io: Io,
  { level, width, isWide, units, redraws }: Shape,
  clock: Pick<Clock, "now">,
): Terminal {
  const paint = new Chalk({ level });
  const tones = {
    good: paint.black.bgGreen,
    off: paint.black.bgWhite,
    warning: paint.black.bgYellow,
    bad: paint.white.bgRed,
  };
  return {
    paint,
    width,
    isWide,
    redraws,
    table: (headings, rows) => {
      const room = isWide ? null : width;
      const all = headings.map((each): Column => (typeof each === "string" ? { name: each } : each));
      const wanted = all.flatMap((column, at) => (column.wide && !isWide ? [] : [at]));
      const columns = wanted.flatMap((at) => all[at] ?? []);
      const cells = rows.map((row) => wanted.map((at) => row[at] ?? ""));
      const laid = layTable(columns, cells, room);
      if (laid.isTooNarrow) return rowByRow({ columns, rows: cells }, room, paint);
      const note = `not shown for want of room: ${laid.dropped.join(", ")} (--wide shows all)`;
      return [
        sideBySide(laid, paint),
        ...(laid.dropped.length > 0 ? [paint.dim(wrapped(note, room))] : []),
      ].join("\n");
    },
    fit: (text) => wrapped(text, isWide ? null : width, units),
    pill: (text, tone) => (level === 0 ? `[${text}]` : tones[tone](` ${text} `)),
    progress: (label, total, from = 0) =>
      createProgress({ io, paint, clock, redraws }, { label, total, from }),
  };
}

/** cli-table3 looks at all rows above for each row: so it gets few at a time, under a heading that is as wide as all are. */
const ROWS_AT_ONCE = 100;

function sideBySide({ columns, rows, below }: Laid, paint: ChalkInstance): string {
  const head = columns.map(({ name }, at) => {
    const width = widest([name, ...rows.flatMap((row) => (row[at] ?? "").split("\n"))]);
    return `${paint.dim(name)}${" ".repeat(width - displayWidth(name))}`;
  });
  const taken: string[] = [];
  for (let from = 0; from === 0 || from < rows.length; from += ROWS_AT_ONCE) {
    const some = rows.slice(from, from + ROWS_AT_ONCE);
    const lines = linesOf(head, some);
    const heading = lines.splice(0, 1);
    if (from === 0) taken.push(...heading);
    // Each row is as many lines as its highest cell.
    for (const [at, row] of some.entries()) {
      const text = below[from + at] ?? "";
      const height = Math.max(...row.map((cell) => cell.split("\n").length));
      taken.push(...lines.splice(0, height), ...(text === "" ? [] : [text]));
    }
  }
  return taken.join("\n");
}

function linesOf(head: string[], rows: readonly (readonly string[])[]): string[] {
  const style = { "padding-left": 0, "padding-right": 0, head: [], border: [], compact: true };
  const table = new Table({ head, chars: NO_FRAME, style });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
}

/** Each cell on a line of its own, behind its heading. */
function rowByRow(
  { columns, rows }: Pick<Laid, "columns" | "rows">,
  room: number | null,
  paint: ChalkInstance,
): string {
  const cells = rows.map((row) =>
    row.flatMap((cell, at) => {
      const name = columns[at]?.name ?? "";
      const words = cell.replaceAll("\n", " ");
      return cell === "" ? [] : [wrapped(`  ${name === "" ? "" : `${paint.dim(name)}: `}${words}`, room)];
    }),
  );
  return cells.map((lines) => lines.join("\n").replace(/^ {2}/, "")).join("\n");
}

const BAR_WIDTH = 28;
const REDRAW_EVERY_MS = 100;
/** The rate is that of the last seconds: of what was fast before an outage, nothing helps to tell the time left. */
const RATE_OVER_MS = 10_000;
const SAMPLE_EVERY_MS = 250;

interface Sample {
  at: number;
  done: number;
}

function createProgress(
  {
    io,
    paint,
    clock,
    redraws,
  }: { io: Io; paint: ChalkInstance; clock: Pick<Clock, "now">; redraws: boolean },
  { label, total, from }: { label: string; total: number | null; from: number },
): Progress {
  const start: Sample = { at: clock.now(), done: from };
  const samples = [start];
  let drawnAt = Number.NEGATIVE_INFINITY;
  let last: { done: number; note: string } | null = null;

  const line = (done: number, note: string, since: Sample, { isEnd = false } = {}) => {
    const seconds = (clock.now() - since.at) / 1_000;
    const perSecond = seconds > 0 ? Math.max(0, done - since.done) / seconds : null;
    const rate = perSecond === null ? "" : `${grouped(Math.round(perSecond))}/s`;
    if (total === null) return [label, grouped(done), paint.dim(joined(rate, note))].join("  ");
    const share = total === 0 ? 1 : Math.min(1, done / total);
    const filled = Math.round(share * BAR_WIDTH);
    const bar = `${paint.green("█".repeat(filled))}${paint.dim("░".repeat(BAR_WIDTH - filled))}`;
    const left =
      perSecond && share < 1 && !isEnd ? `${grouped(Math.ceil((total - done) / perSecond))} s left` : "";
    return [
      label,
      ...(redraws ? [bar] : []),
      `${grouped(done)}/${grouped(total)}`,
      paint.dim(joined(rate, left, note)),
    ].join("  ");
  };
  return {
    set: (done, note = "") => {
      const at = clock.now();
      last = { done, note };
      if (at - (samples.at(-1)?.at ?? 0) >= SAMPLE_EVERY_MS) samples.push({ at, done });
      while (samples[1] && samples[1].at <= at - RATE_OVER_MS) samples.shift();
      if (!redraws || at - drawnAt < REDRAW_EVERY_MS) return;
      drawnAt = at;
      io.err(`\r\u001b[2K${line(done, note, samples[0] ?? start)}`);
    },
    clear: () => {
      if (!redraws || drawnAt === Number.NEGATIVE_INFINITY) return;
      drawnAt = Number.NEGATIVE_INFINITY;
      io.err("\r\u001b[2K");
    },
    end: () => {
      if (!last) return;
      const whole = line(last.done, last.note, start, { isEnd: true });
      io.err(redraws ? `\r\u001b[2K${whole}\n` : `${whole}\n`);
    },
  };
}

function joined(...words: string[]): string {
  return words.filter(Boolean).join("  ");
}
