/** Attempts as people read them: a heading for each day, the outcome first. */
import { triedWords } from "../../core/advice/held-words.ts";
import type { Terminal } from "../../shared/terminal.ts";
import { maskEmail, plain, short } from "../../shared/text.ts";
import type { LoggedAttempt } from "../../store/contract/store.ts";
import { maskedWords } from "../../shared/masked-words.ts";
import { outcomeWords } from "./outcome.ts";
import type { ShownTime } from "./shown-time.ts";

export interface Shown {
  reveal: boolean;
  terminal: Terminal;
  time: ShownTime;
}

const COLUMNS = [
  { name: "outcome", whole: true },
  { name: "at", whole: true },
  { name: "vendor", drop: 2 },
  { name: "candidate", drop: 3 },
  "invite",
  { name: "status", drop: 1 },
  { name: "ms", wide: true },
  { name: "correlation id", wide: true },
  { name: "words", below: true },
] as const;

/** A table for each day, under its date. */
export function byDay(attempts: readonly LoggedAttempt[], shown: Shown): string[] {
  const days = new Map<string, LoggedAttempt[]>();
  for (const attempt of attempts) {
    const day = dayWords(attempt.at, shown.time);
    const known = days.get(day);
    if (known) known.push(attempt);
    else days.set(day, [attempt]);
  }
  const { paint, table } = shown.terminal;
  return [...days].flatMap(([day, each], index) => [
    ...(index === 0 ? [] : [""]),
    paint.bold(day),
    table(
      COLUMNS,
      each.map((attempt) => columnsOf(attempt, shown)),
    ),
  ]);
}

export function dayWords(at: number, time: ShownTime): string {
  return `${time.day(at)} (${time.zone(at)})`;
}

/** Of each column but the last, for what there mostly is: a line that is printed cannot wait for what follows. */
const WIDTHS = [11, 8, 15, 22, 12, 3, 5, 36];

export function renderLine(attempt: LoggedAttempt, shown: Shown): string {
  const columns = columnsOf(attempt, shown).flatMap((text, index) => {
    const column = COLUMNS[index];
    const isHidden = typeof column === "object" && "wide" in column && !shown.terminal.isWide;
    return isHidden ? [] : [text.padEnd(WIDTHS[index] ?? 0)];
  });
  return columns.join("  ").trimEnd();
}

/** Addresses are personal data: masked until asked for, in the vendor's words too. */
function columnsOf(attempt: LoggedAttempt, { reveal, time }: Shown): string[] {
  const words = triedWords(attempt);
  return [
    outcomeWords(attempt.outcome),
    time.clock(attempt.at),
    attempt.vendor,
    short(reveal ? attempt.subject : maskEmail(attempt.subject)),
    plain(attempt.invitationId ?? "–"),
    String(attempt.httpStatus ?? "–"),
    String(attempt.durationMs),
    plain(attempt.correlationId ?? "–"),
    short(reveal ? words : maskedWords(words, [attempt.subject]), 200),
  ];
}
