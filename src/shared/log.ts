import type { Clock } from "./clock.ts";
import type { Redactor } from "./redact.ts";
import { jsonText, plain } from "./text.ts";

/** One line per thing that happened, for the journal or a terminal. Never holds a secret or candidate data. */
export interface Log {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
}

export type Level = "debug" | "info" | "warn" | "error";
export type Fields = Record<string, string | number | boolean | null>;

const LEVELS: readonly Level[] = ["debug", "info", "warn", "error"];
/** syslog's priorities, which journald reads from `<n>` at a line's start (sd-daemon(3)). */
const PRIORITY: Record<Level, number> = { debug: 7, info: 6, warn: 4, error: 3 };

export function createLog(options: {
  write: (line: string) => void;
  /** Asked for each line: it may change. */
  level: () => Level;
  format: "text" | "json";
  /** The journal adds the time itself and wants the priority. */
  toJournal: boolean;
  /** Commands that it advises, as they are to be typed where this process was started with other places. */
  asTypedHere?: (text: string) => string;
  redact: Redactor;
  clock: Pick<Clock, "now">;
}): Log {
  const { asTypedHere = (text) => text } = options;
  const write = (level: Level, said: string, given: Fields = {}) => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(options.level())) return;
    const message = asTypedHere(said);
    const fields = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [
        name,
        typeof value === "string" ? asTypedHere(value) : value,
      ]),
    );
    const time = new Date(options.clock.now()).toISOString();
    const line =
      options.format === "json"
        ? jsonText({ time, level, message, ...fields })
        : [
            options.toJournal ? `<${PRIORITY[level]}>` : `${time} ${level.padEnd(5)} `,
            message,
            ...pairs(fields),
          ].join("");
    options.write(`${options.redact(plain(line))}\n`);
  };
  return {
    debug: (message, fields) => write("debug", message, fields),
    info: (message, fields) => write("info", message, fields),
    warn: (message, fields) => write("warn", message, fields),
    error: (message, fields) => write("error", message, fields),
  };
}

function pairs(fields: Fields): string[] {
  return Object.entries(fields).map(([name, value]) => {
    const text = String(value);
    return `  ${name}=${/[\s"]/.test(text) ? JSON.stringify(text) : text}`;
  });
}
