import type { Held, Row } from "../../contract/copying.ts";

/** What `jsonb` takes in no string: it becomes U+FFFD, as at the doors. */
const UNSTORABLE = /[\0\p{Cs}]/gu;

/** A row of another store as a table of these types holds it. */
export function heldRow(types: readonly string[], row: Row): Row {
  return row.map((value, index) => heldValue(types[index] ?? "", value));
}

function heldValue(type: string, value: Held): Held {
  if (typeof value === "string") return type === "jsonb" ? sameJson(value) : withoutNull(value);
  if (typeof value === "number" && /int/.test(type)) return Math.trunc(value);
  return value;
}

/** Of what text may be, SQLite holds this alone that PostgreSQL does not. */
function withoutNull(text: string): string {
  return text.includes("\0") ? text.replaceAll("\0", "\ufffd") : text;
}

function storable(text: string): string {
  return text.replace(UNSTORABLE, "\ufffd");
}

/** One text for one value, whatever the order of its keys: `jsonb` keeps none. */
export function sameJson(text: string): string {
  return JSON.stringify(ordered(JSON.parse(text)));
}

function ordered(value: unknown): unknown {
  if (typeof value === "string") return storable(value);
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) => [storable(key), ordered(each)] as const);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
