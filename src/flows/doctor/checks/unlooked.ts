import type { ErrorCode } from "../../../shared/errors.ts";
import { cut, maskEmailsIn } from "../../../shared/text.ts";
import { type Finding, fault } from "../finding.ts";
import type { Status } from "../look/facts.ts";
import type { Looked } from "../look/looker.ts";

/** Of what only the log knows. */
export function unreadWords(status: Status | null): string {
  const to = status?.log.copiedTo ?? null;
  return to === null ? "the log could not be read" : "the log is elsewhere now";
}

const LONGEST_MESSAGE = 200;

/** What hangs, and what is our own mistake, as a fault of its own; null for what was looked at, or failed in its own words. */
export function unlooked(
  id: string,
  looked: Looked<unknown>,
  { what, code }: { what: string; code: ErrorCode },
): Finding | null {
  if (looked.is === "late")
    return fault(id, code, {
      what: `${what} took longer than ${looked.afterMs / 1_000} s`,
      why: "It hangs, or is very slow. All else was looked at meanwhile.",
      who: "Whoever runs what hangs, or the network in between: look there, then look again.",
    });
  if (looked.is !== "bug") return null;
  const message = looked.error instanceof Error ? looked.error.message : String(looked.error);
  return fault(id, "BUG", {
    what: `${what}: this is a bug of jc-integrations`,
    why: maskEmailsIn(cut(message, LONGEST_MESSAGE)),
    who: "You: report it, with the lines below.",
  });
}
