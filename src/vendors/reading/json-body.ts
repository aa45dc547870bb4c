/** The body of a webhook as a text to keep and an object to read. */
import { isUtf8 } from "node:buffer";
import { EventRefused } from "../contract/source.ts";
import { type Fields, fields } from "./fields.ts";

/** Throws `EventRefused` for anything but a JSON object in UTF-8. */
export function readBody(body: Buffer): { payload: string; root: Fields } {
  if (!isUtf8(body)) throw new EventRefused("the body is not UTF-8");
  const payload = body.toString("utf8");
  return { payload, root: fields(jsonOf(payload), "the body") };
}

function jsonOf(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    // The parser's own words quote the body.
    throw new EventRefused("the body is not JSON");
  }
}
