import { createHash } from "node:crypto";

/** As much of a text's SHA-256 as tells it from every other one in practice. */
export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
