import { basename } from "node:path";
import { count } from "../../shared/text.ts";
import type { OldLogStanding } from "../../store/contract/store.ts";
import type { RestorePlan, Unreadable } from "./restore.ts";

/** What a restore would do, and what it leaves out, in words. */

export function planText({ backup, checked, old, missing, staysRemoved, attemptsLeft }: RestorePlan): string {
  const { events, invites } = checked.counts;
  return [
    `${basename(backup)} is whole: ${count(events, "event")}, ${count(invites, "invite")}.`,
    ...(staysRemoved > 0
      ? [
          `${count(staysRemoved, "invite")} of it ${staysRemoved === 1 ? "stays" : "stay"} removed: retention had removed ${staysRemoved === 1 ? "it" : "them"} since.`,
        ]
      : []),
    oldText(old, missing),
    ...attemptsText({ attemptsLeft }),
  ].join("\n");
}

/** None where nothing went out since. */
export function attemptsText({ attemptsLeft: n }: Pick<RestorePlan, "attemptsLeft">): string[] {
  if (n === 0) return [];
  const which = n === null ? "Attempts" : count(n, "attempt");
  return [
    `${which} since the backup ${n === 1 ? "is" : "are"} not taken over: logs does not show what went out in that time.`,
  ];
}

/** What cannot be read, as the subject of a sentence. */
export function lostText({ unreadable, isUnreadableKnown }: Unreadable): string {
  return isUnreadableKnown ? count(unreadable, "event") : "events, nobody can tell how many,";
}

function oldText({ condition, reason }: OldLogStanding, { events, ...lost }: RestorePlan["missing"]): string {
  const since = `${count(events, "event")} that the backup lacks ${events === 1 ? "is" : "are"} taken over`;
  switch (condition) {
    case "absent":
      return "No old log is there: what came after the backup is lost, unless its senders send it again.";
    case "unreadable":
      return `The old log cannot be read (${reason}): it is kept, and what came after the backup is not taken over.`;
    case "damaged":
      return `The old log is damaged (${reason}): ${since}; ${lost.unreadable === 0 ? "each of its events can be read" : `${lostText(lost)} cannot be read`}.`;
    case "whole":
      return `The old log can be read: ${since}.`;
  }
}
