import { count } from "../../../shared/text.ts";
import { type Finding, note } from "../finding.ts";
import type { AccountFacts } from "../look/account.ts";

/** From here on a person's own look has to wait. */
const ALMOST_FULL = 0.9;

/** Then our own look waits behind results, as the note about the rate says. */
export function isBusy({ window }: Pick<AccountFacts, "window">): boolean {
  return window !== null && window.used >= ALMOST_FULL * window.calls;
}

export function rate({ vendor, label, window }: AccountFacts): Finding | null {
  if (window === null || !isBusy({ window })) return null;
  const seconds = Math.round(window.windowMs / 1_000);
  return note(`${vendor}.rate`, {
    what: `${window.used} of ${count(window.calls, "call")} in ${seconds} s are taken: ${label} is at its limit`,
    why: "What waits goes out as fast as the limit lets it.",
    who: "Nobody, while results go out. All day long: a larger plan there, and its tier in the configuration.",
  });
}
