/**
 * Reads the fields of a webhook's JSON by hand: a schema library costs several times the parsing itself, and
 * intake is the hot path. Every reader throws `EventRefused` with the field's path, never with its value.
 */
import { EventRefused } from "../contract/source.ts";
import { parseTimestamp } from "./timestamp.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** Controls, line and reading direction marks, lone surrogates: what names something is typed, compared and shown. */
const UNFIT_TO_NAME = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;

const LONGEST_ID = 200;
const LONGEST_TEXT = 10_000;

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

/** A text with something in it, as it came; `longest` in characters. */
export function text(value: unknown, path: string, longest = LONGEST_TEXT): string {
  return storable(filled(value, path, longest));
}

/** Null when absent or blank. */
export function optionalText(value: unknown, path: string, longest?: number): string | null {
  return isBlank(value) ? null : text(value, path, longest);
}

/** What names something: an id, a slug, an address. */
export function identifier(value: unknown, path: string, longest = LONGEST_ID): string {
  const name = filled(value, path, longest);
  if (UNFIT_TO_NAME.test(name)) throw new EventRefused(`${path} holds characters that are no text`);
  return name;
}

/** Null when absent or blank. */
export function optionalIdentifier(value: unknown, path: string): string | null {
  return isBlank(value) ? null : identifier(value, path);
}

/** NUL and lone surrogates survive neither UTF-8 nor every store. */
const MAY_BE_UNFIT = /[\0\ud800-\udfff]/;

/** What no store can hold becomes U+FFFD; the payload stays as it came. */
export function storable(text: string): string {
  return MAY_BE_UNFIT.test(text) ? text.toWellFormed().replaceAll("\0", "\ufffd") : text;
}

function filled(value: unknown, path: string, longest: number): string {
  if (typeof value !== "string")
    throw new EventRefused(`${path} ${absent(value) ? "is missing" : "is not a text"}`);
  if (value.length > longest) throw new EventRefused(`${path} is longer than ${longest} characters`);
  if (value.trim() === "") throw new EventRefused(`${path} is blank`);
  return value;
}

function isBlank(value: unknown): boolean {
  return absent(value) || (typeof value === "string" && value.trim() === "");
}

/** Milliseconds since the epoch. */
export function timestamp(value: unknown, path: string): number {
  const at = parseTimestamp(filled(value, path, LONGEST_TEXT));
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
