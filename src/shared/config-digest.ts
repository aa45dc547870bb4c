import { parse } from "smol-toml";
import { digestOf } from "./digest.ts";

/**
 * Tells one configuration's values from another's, in whatever order and with whatever comments they are written. Its
 * `log.level` is that of another text where a running service took it from there. What is no TOML is told by its letters.
 */
export function digestOfValues(text: string, levelFrom = text): string {
  try {
    const [tables, { log: other }] = [parse(text), parse(levelFrom)];
    const log = { ...Object(tables.log), level: Object(other).level };
    return digestOf(JSON.stringify({ ...tables, log }, sortedKeys));
  } catch {
    return digestOf(text);
  }
}

function sortedKeys(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
