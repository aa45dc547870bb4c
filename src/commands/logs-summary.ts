import { logsCommand } from "../core/advice/command-lines.ts";
import { isoTime } from "../shared/clock.ts";
import type { Terminal } from "../shared/terminal.ts";
import { count, grouped } from "../shared/text.ts";
import type { AttemptSum } from "../store/contract/store.ts";
import { type AskedAttempts, attemptsAsked } from "./session/attempts-asked.ts";
import { placeOf } from "./session/invite-words.ts";
import { outcomeWords } from "./session/outcome.ts";
import { type ShownTime, shownTime } from "./session/shown-time.ts";
import type { Session } from "./session/with-app.ts";

/** `logs --summary`: each result once, by how its last try ended; the tries apart. */
export async function showSummary(session: Session, flags: AskedAttempts): Promise<void> {
  const { app, terminal, print } = session;
  const { store, filter } = await attemptsAsked(session, flags);
  const sums = (await store?.attemptSums({ org: app.org, ...filter })) ?? [];
  const time = shownTime(flags.local);
  print({
    json: {
      sums: sums.map(({ firstAt, lastAt, ...sum }) => ({
        ...sum,
        firstAt: isoTime(firstAt),
        lastAt: isoTime(lastAt),
      })),
    },
    text: () =>
      sums.length === 0
        ? "No attempt in that time."
        : [...summaryLines(sums, terminal, time), "", triesLine(sums), ...nextFor(sums, app.org)].join("\n"),
  });
}

const SUMMARY_COLUMNS = [
  { name: "outcome", whole: true },
  { name: "vendor", drop: 3 },
  "results",
  { name: "first", drop: 1, whole: true },
  { name: "last", whole: true },
] as const;

function summaryLines(sums: readonly AttemptSum[], { table }: Terminal, time: ShownTime): string[] {
  const ended = sums.filter(({ subjects }) => subjects > 0);
  const rows = ended.map((sum) => [
    outcomeWords(sum.outcome),
    placeOf(sum),
    grouped(sum.subjects),
    time.second(sum.firstAt),
    time.second(sum.lastAt),
  ]);
  if (rows.length === 0) return ["No result ended so."];
  return [table(SUMMARY_COLUMNS, rows)];
}

/** A result that was rejected and delivered since has a try of each kind. */
function triesLine(sums: readonly AttemptSum[]): string {
  const tries = new Map<string, number>();
  for (const { outcome, attempts } of sums) tries.set(outcome, (tries.get(outcome) ?? 0) + attempts);
  const all = [...tries.values()].reduce((sum, n) => sum + n, 0);
  return `${all === 1 ? "1 try" : `${grouped(all)} tries`}: ${[...tries].map(([outcome, n]) => `${grouped(n)} ${outcome}`).join(", ")}`;
}

/** For what did not go out: where its reasons stand. */
function nextFor(sums: readonly AttemptSum[], org: string): string[] {
  return sums.flatMap(({ vendor, outcome, subjects }) =>
    subjects > 0 && (outcome === "rejected" || outcome === "held")
      ? [
          `Why ${count(subjects, "result")} ${subjects === 1 ? "was" : "were"} ${outcome}: ${logsCommand({ vendor, org }, outcome)}`,
        ]
      : [],
  );
}
