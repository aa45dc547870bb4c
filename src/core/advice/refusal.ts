import { shortTime } from "../../shared/text.ts";
import type { Refusal } from "../connection.ts";

/** Since when, why, and what to type. */
export function refusalWords({ since, reason, fix }: Refusal): string {
  const cure = fix === null ? "" : `. ${fix.replace(/[.]$/, "")}`;
  return `refused since ${shortTime(since)}: ${reason}. Results wait and go out by themselves afterwards${cure}`;
}
