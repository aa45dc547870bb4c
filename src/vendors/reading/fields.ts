/**
 * Reads the fields of a webhook's JSON by hand: a schema library costs several times the parsing itself, and
 * intake is the hot path. Every reader throws `EventRefused` with the field's path, never with its value.
 */
import { EventRefused } from "../contract/source.ts";
import { parseTimestamp } from "./timestamp.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** NUL and lone surrogates survive neither UTF-8 nor every store, so an identity cannot hold them. */
const UNSTORABLE = /[\0\p{Cs}]/u;

export function fields(value: unknown, path: string): Fields {
  if (isObject(value)) return value;
  throw new EventRefused(`${path} ${absent(value) ? "is missing" : "is not an object"}`);
}

export function optionalFields(value: unknown, path: string): Fields | null {
  return absent(value) ? null : fields(value, path);
}

export function list(value: unknown, path: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new EventRefused(`${path} ${absent(value) ? "is missing" : "is not a list"}`);
}

/** A text with something in it. */
export function text(value: unknown, path: string): string {
  if (typeof value === "string") {
    if (value.trim() === "") throw new EventRefused(`${path} is blank`);
    if (UNSTORABLE.test(value)) throw new EventRefused(`${path} holds characters that are no text`);
    return value;
  }
  throw new EventRefused(`${path} ${absent(value) ? "is missing" : "is not a text"}`);
}

/** Null when absent or blank. */
export function optionalText(value: unknown, path: string): string | null {
  return absent(value) || (typeof value === "string" && value.trim() === "") ? null : text(value, path);
}

/** Milliseconds since the epoch. */
export function timestamp(value: unknown, path: string): number {
  const at = parseTimestamp(text(value, path));
  if (at !== null) return at;
  throw new EventRefused(`${path} is not a time with a zone, such as 2026-11-22T10:15:00Z`);
}

export function optionalTimestamp(value: unknown, path: string): number | null {
  return absent(value) ? null : timestamp(value, path);
}

export function oneOf<Word extends string>(value: unknown, words: readonly Word[], path: string): Word {
  const word = words.find((candidate) => candidate === value);
  if (word !== undefined) return word;
  throw new EventRefused(`${path} ${absent(value) ? "is missing" : `is not one of ${words.join(", ")}`}`);
}

export function absent(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
