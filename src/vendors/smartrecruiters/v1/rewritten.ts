/** A webhook's body as something on the way may have met it: what it passed on is not what was signed. */

import { type Pieces, sizeOf } from "../../contract/source.ts";

/** A stranger's body: what is longer or deeper is nobody's webhook, and to write it again would be work for nothing. */
const LONGEST_BYTES = 8 * 1024;
const LONGEST_WRITTEN_BYTES = 32 * 1024;
const DEEPEST = 32;

/** The same JSON in the other ways that it is commonly written; none for a body that is too long, too deep or no JSON. */
export function rewritten(pieces: Pieces): Buffer[] {
  if (sizeOf(pieces) > LONGEST_BYTES) return [];
  const body = Buffer.concat(pieces);
  if (isDeep(body)) return [];
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    const texts = [JSON.stringify(value), spaced(value), JSON.stringify(value, null, 2)];
    const ways = new Set([...texts, ...texts.map(inAscii)]);
    return [...ways].map((text) => Buffer.from(text)).filter((way) => way.length <= LONGEST_WRITTEN_BYTES);
  } catch {
    return [];
  }
}

/** Brackets within texts count too: that errs on the safe side. */
function isDeep(body: Buffer): boolean {
  let depth = 0;
  for (const byte of body) {
    if (byte === 0x5b || byte === 0x7b) depth += 1;
    else if (byte === 0x5d || byte === 0x7d) depth -= 1;
    if (depth > DEEPEST) return true;
  }
  return false;
}

/** As Python writes JSON: one line, with a blank behind every comma and colon. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${spaced(each)}`);
  return `{${members.join(", ")}}`;
}

function inAscii(json: string): string {
  return json.replace(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
