import type { AttemptOutcome } from "../../core/push.ts";

const MARKS: Record<AttemptOutcome, string> = {
  delivered: "✓",
  recreated: "✓",
  rejected: "✗",
  held: "✗",
  retry: "·",
};

/** "✓ delivered": found at a glance, also without colours. */
export function outcomeWords(outcome: AttemptOutcome): string {
  return `${MARKS[outcome]} ${outcome}`;
}
