import { Chalk, type ChalkInstance } from "chalk";
import Table from "cli-table3";
import type { Environment } from "./config.ts";
import type { Io } from "./io.ts";
import { grouped } from "./text.ts";

/** How output for people looks: colours, tables, pills, progress. Loaded only when something is shown. */
export interface Terminal {
  paint: ChalkInstance;
  /** Aligned columns under dim headings, without a frame. */
  table(headings: readonly string[], rows: readonly (readonly string[])[]): string;
  pill(text: string, tone: Tone): string;
  /** A line that redraws itself on a terminal, and shows up rarely elsewhere. */
  progress(label: string, total: number | null): Progress;
}

export type Tone = "good" | "off" | "warning" | "bad";

export interface Progress {
  set(done: number, note?: string): void;
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

export function createTerminal(io: Io, level: 0 | 1 | 2): Terminal {
  const paint = new Chalk({ level });
  const tones = {
    good: paint.black.bgGreen,
    off: paint.black.bgWhite,
    warning: paint.black.bgYellow,
    bad: paint.white.bgRed,
  };
  return {
    paint,
    table: (headings, rows) => {
      const table = new Table({
        head: headings.map((heading) => paint.dim(heading)),
        chars: NO_FRAME,
        style: { "padding-left": 0, "padding-right": 0, head: [], border: [], compact: true },
      });
      table.push(...rows.map((row) => [...row]));
      return table
        .toString()
        .split("\n")
        .map((line) => line.trimEnd())
        .join("\n");
    },
    pill: (text, tone) => (level === 0 ? `[${text}]` : tones[tone](` ${text} `)),
    progress: (label, total) => createProgress(io, paint, label, total),
  };
}

const BAR_WIDTH = 28;
const REDRAW_EVERY_MS = 100;

function createProgress(io: Io, paint: ChalkInstance, label: string, total: number | null): Progress {
  const startedAt = Date.now();
  let drawnAt = 0;
  let last = "";
  const line = (done: number, note: string) => {
    const seconds = Math.max(0.001, (Date.now() - startedAt) / 1_000);
    const rate = `${grouped(Math.round(done / seconds))}/s`;
    if (total === null) return `${label}  ${grouped(done)}  ${paint.dim(`${rate}  ${note}`)}`;
    const share = total === 0 ? 1 : Math.min(1, done / total);
    const filled = Math.round(share * BAR_WIDTH);
    const bar = `${paint.green("█".repeat(filled))}${paint.dim("░".repeat(BAR_WIDTH - filled))}`;
    const left = done === 0 || share === 1 ? "" : `${Math.ceil((total - done) / (done / seconds))} s left`;
    const counted = `${grouped(done)}/${grouped(total)}`;
    return `${label}  ${bar}  ${counted}  ${paint.dim([rate, left, note].filter(Boolean).join("  "))}`;
  };
  return {
    set: (done, note = "") => {
      last = line(done, note);
      if (!io.stderrIsTerminal || Date.now() - drawnAt < REDRAW_EVERY_MS) return;
      drawnAt = Date.now();
      io.err(`\r\u001b[2K${last}`);
    },
    end: () => {
      if (last) io.err(io.stderrIsTerminal ? `\r\u001b[2K${last}\n` : `${last}\n`);
    },
  };
}
