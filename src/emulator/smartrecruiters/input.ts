/** How the fields of a call's body are checked. */
import { validateHeaderName, validateHeaderValue } from "node:http";
import { isRecord } from "../http.ts";

export function isText(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "";
}

export function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === "string";
}

export function isHttpUrl(value: unknown): value is string {
  return typeof value === "string" && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

/** Whether these may be sent as headers of a call. */
export function isHeaders(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.entries(value).every(([name, text]) => isHeader(name, text));
}

function isHeader(name: string, text: unknown): boolean {
  if (typeof text !== "string") return false;
  try {
    validateHeaderName(name);
    validateHeaderValue(name, text);
    return true;
  } catch {
    return false;
  }
}
