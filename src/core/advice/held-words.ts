/** What holds a result, as people read it in a table. Pure. */
import type { AttemptOutcome, HeldCause } from "../push.ts";
import { FIELD_LABELS } from "../scores.ts";

const BRIEFLY: Readonly<Record<HeldCause, string>> = {
  reconnect: "reconnect needed",
  scope: "a scope is missing",
  property: "a field is missing there",
  vault: "tokens cannot be read",
  disconnected: "disconnected",
  confirm: "account not confirmed",
  gone: "contact deleted there",
  candidate: "several candidates fit",
};

export function heldBriefly(cause: HeldCause | null): string {
  return cause === null ? "held" : `held, ${BRIEFLY[cause]}`;
}

/** The words of one try. Of one that was held the log keeps the bare name of what it lacks. */
export function triedWords({ outcome, reason }: { outcome: AttemptOutcome; reason: string | null }): string {
  if (reason === null || outcome !== "held") return reason ?? "";
  const label = FIELD_LABELS[reason];
  if (label !== undefined) return `the field "${label}" (${reason}) is missing there`;
  return isScope(reason) ? `the scope ${reason} was not granted` : reason;
}

function isScope(reason: string): boolean {
  return /^[a-z]+(?:[._:][a-z]+)+$/.test(reason);
}
