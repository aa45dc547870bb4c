/** The configuration's file: its text, and its tables as far as they are TOML. */
import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import type { Fault } from "./config-value.ts";
import { AppError } from "./errors.ts";
import { otherFileOf } from "./other-files.ts";

export type Table = Record<string, unknown>;

interface File {
  file: string;
  fault: Fault;
}

/** Null where there is none. */
export function readText({ file, fault }: File, isRequired: boolean): string | null {
  try {
    const bytes = readUpTo(file, MOST_BYTES + 1);
    const other = noText(file, bytes);
    if (other === null) return bytes.toString("utf8");
    fault(other);
    return "";
  } catch (cause) {
    const isMissing =
      cause instanceof Error && "code" in cause && (cause.code === "ENOENT" || cause.code === "ENOTDIR");
    if (isMissing && !isRequired) return null;
    fault(unread(file, cause));
    return null;
  }
}

/** Far more than any configuration has; what is longer is another file, and not read to its end. */
const MOST_BYTES = 1024 * 1024;

function readUpTo(file: string, most: number): Buffer {
  const descriptor = openSync(file, "r");
  try {
    const pieces: Buffer[] = [];
    for (let left = most; left > 0; ) {
      const piece = Buffer.alloc(Math.min(left, 65_536));
      const read = readSync(descriptor, piece, 0, piece.length, null);
      if (read === 0) break;
      pieces.push(piece.subarray(0, read));
      left -= read;
    }
    return Buffer.concat(pieces);
  } finally {
    closeSync(descriptor);
  }
}

/** Null for what may be TOML. */
function noText(file: string, bytes: Buffer): AppError | null {
  const refused = (is: string, hint: string) =>
    new AppError("CONFIG_INVALID", `${file} is ${is}, no configuration file`, { hint });
  const other = otherFileOf(bytes, /[\s\w#["']/);
  if (other !== null)
    return refused(
      other.is,
      `A configuration is TOML in UTF-8: put what \`${other.cure}\` makes of this one there.`,
    );
  const named = "Check --config or JC_CONFIG: is that the file that was meant?";
  if (bytes.length > MOST_BYTES) return refused("longer than 1 MiB", named);
  return bytes.includes(0) ? refused("no text: it holds NUL bytes", named) : null;
}

function unread(file: string, cause: unknown): AppError {
  const isDirectory = cause instanceof Error && "code" in cause && cause.code === "EISDIR";
  const [words, hint] = isDirectory
    ? [
        "is a directory, not a configuration file",
        `Name the file in it, as --config ${join(file, "config.toml")}`,
      ]
    : ["cannot be read", "Check --config or JC_CONFIG: is the file there, and who may read it?"];
  return new AppError("CONFIG_INVALID", `${file} ${words}`, { hint, cause });
}

/** So many lines that are no TOML are told; behind more of them, one mistake makes the next. */
const MOST_LINES = 20;

/** One table, or what is left of it beside the lines that are no TOML; a table that is written twice is read twice. */
export function tablesIn(text: string, at: File, most = MOST_LINES): Table[] {
  try {
    return [parse(text)];
  } catch (cause) {
    const line =
      cause instanceof Error && "line" in cause && typeof cause.line === "number" ? cause.line : null;
    const isTwice = cause instanceof Error && /redefine/.test(cause.message);
    at.fault(noToml(text, { file: at.file, line, isTwice }));
    if (line === null || most === 0) return [];
    return withoutLine(text, line, isTwice).flatMap((part) => tablesIn(part, at, most - 1));
  }
}

/** The parser's own message quotes the line, which may hold what should not be shown: keep to its place and its name. */
function noToml(
  text: string,
  { file, line, isTwice }: { file: string; line: number | null; isTwice: boolean },
): AppError {
  const place = line === null ? "" : `, line ${line}`;
  if (!isTwice)
    return new AppError("CONFIG_INVALID", `${file}${place}: this is no TOML`, {
      hint: 'Texts need quotes: org = "acme"',
    });
  const [, name = "this"] = /^\s*(\[[^\]]*\]|[\w."'-]+)/.exec(text.split("\n")[(line ?? 0) - 1] ?? "") ?? [];
  return new AppError("CONFIG_INVALID", `${file}${place}: ${name} is written a second time`, {
    hint: "Put all of it into one place.",
  });
}

/** Lines keep their numbers. Of a table written twice the second part stands apart, down to the next table. */
function withoutLine(text: string, line: number, isTwice: boolean): string[] {
  const lines = text.split("\n");
  const isHeader = (each: string | undefined) => /^\s*\[/.test(each ?? "");
  const from = line - 1;
  if (!isTwice || !isHeader(lines[from])) return [lines.with(from, "").join("\n")];
  const next = lines.findIndex((each, index) => index > from && isHeader(each));
  const isApart = (index: number) => index >= from && (next === -1 || index < next);
  const part = (isOurs: (index: number) => boolean) =>
    lines.map((each, index) => (isOurs(index) ? each : "")).join("\n");
  return [part((index) => !isApart(index)), part(isApart)];
}
