import { DEFAULT_VENDOR } from "../core/default-vendor.ts";
import { connectCommand, logsCommand, replayCommand } from "../core/advice/command-lines.ts";
import { type Command, InvalidArgumentError, Option } from "commander";
import { isPlaceholder } from "../core/erasure.ts";
import { ATTEMPT_OUTCOMES } from "../core/push.ts";
import { AppError } from "../shared/errors.ts";
import type { Terminal } from "../shared/terminal.ts";
import { count, grouped, maskEmail, plain, shortTime } from "../shared/text.ts";
import type {
  AttemptQuery,
  AttemptSum,
  LoggedAttempt,
  NewAttempt,
  Run,
  Store,
} from "../store/contract/store.ts";
import { byDay, dayWords, renderLine } from "./session/attempt-lines.ts";
import { EMAIL_OPTION, EMAIL_WORDS, emailFrom } from "./session/email.ts";
import { logToRead } from "./session/log-to-read.ts";
import { maskedWords } from "../shared/masked-words.ts";
import {
  COUNTED_AT_MOST,
  moreWords,
  readLimit,
  type TimeFlags,
  timeReader,
  timesOf,
  WHOLE,
} from "./session/option-values.ts";
import { outcomeWords } from "./session/outcome.ts";
import { LOCAL_OPTION, LOCAL_WORDS, type ShownTime, shownTime } from "./session/shown-time.ts";
import { placeOf } from "./session/invite-words.ts";
import { defined } from "./replay.ts";
import { vendorNames } from "./session/known-values.ts";
import { type Session, withApp } from "./session/with-app.ts";
import type { World } from "../shared/world.ts";

interface Flags extends TimeFlags {
  vendor?: string;
  outcome?: NewAttempt["outcome"];
  email?: string;
  limit: number;
  all?: boolean;
  summary?: boolean;
  follow?: boolean;
  reveal?: boolean;
  runs?: boolean;
  requests?: boolean;
}

export function registerLogs(program: Command, world: World): void {
  program
    .command("logs")
    .description("the delivery log: every try of every push, with the vendor's words")
    .option("--vendor <vendor>", `only this vendor's: ${vendorNames()}`)
    .option("--outcome <outcome>", ATTEMPT_OUTCOMES.join(", "), readOutcome)
    .option(EMAIL_OPTION, `only this candidate's ${EMAIL_WORDS}`)
    .option("--since <time>", "from then on, as 2026-11-01, yesterday or 1h", timeReader(world.clock))
    .option("--until <time>", "up to then, exclusive", timeReader(world.clock))
    .addOption(new Option("--limit <n>", "the last so many").argParser(readLimit).default(50))
    .addOption(new Option("--all", "all that fit").conflicts("limit"))
    .option(LOCAL_OPTION, LOCAL_WORDS)
    .option("--follow", "go on as they come, until Ctrl-C")
    .option("--reveal", "show addresses in full")
    .addOption(
      new Option("--runs", "show replays and backfills instead: who, filter, counts").conflicts([
        "vendor",
        "outcome",
        "email",
        "since",
        "until",
        "follow",
        "summary",
      ]),
    )
    .addOption(
      new Option(
        "--requests",
        "show what JobCannon was asked for instead: invites that stages want",
      ).conflicts(["vendor", "outcome", "email", "follow", "summary", "runs"]),
    )
    .addOption(
      new Option("--summary", "counts by outcome instead: what went out, what did not").conflicts([
        "follow",
        "limit",
        "all",
      ]),
    )
    .addHelpText(
      "after",
      "\nExamples:\n  jc-integrations logs --outcome rejected --since 2026-11-01\n  jc-integrations logs --summary --since yesterday",
    )
    .action((flags: Flags, command: Command) =>
      withApp(world, command, (session) => {
        if (flags.runs) return showRuns(session, flags);
        if (flags.requests) return showRequests(session, flags);
        return flags.summary ? showSummary(session, flags) : showAttempts(session, flags);
      }),
    );
}

const NO_ATTEMPTS = "No attempts yet.";
const NONE_MATCHES = "No attempt matches.";

function noLogYet({ stateDir, org }: Session["app"]): AppError {
  return new AppError("USAGE", `there is no log in ${stateDir} yet`, {
    hint: `Check --state-dir, or begin: ${connectCommand({ vendor: DEFAULT_VENDOR, org })}`,
  });
}

async function showAttempts(session: Session, flags: Flags): Promise<void> {
  const { app, world, globals, terminal, print } = session;
  const { store, filter } = await openFor(session, flags);
  if (!store) {
    if (flags.follow) throw noLogYet(app);
    print({ json: { attempts: [], more: 0 }, text: () => NO_ATTEMPTS });
    return;
  }
  const time = shownTime(flags.local);
  const shown = { terminal, time, reveal: flags.reveal === true };
  const query: AttemptQuery = { org: app.org, ...filter, limit: flags.all ? WHOLE : flags.limit };
  const { attempts: found, newest } = await store.attempts(query);
  let after = newest;
  if (!flags.follow) {
    const more = await moreThan(found, query, store);
    const mayHaveOthers = found.length === 0 && Object.keys(filter).length > 0;
    const any = mayHaveOthers ? await store.attempts({ org: app.org, limit: 1 }) : null;
    const empty = !any || any.attempts.length === 0 ? NO_ATTEMPTS : NONE_MATCHES;
    print({
      json: { attempts: found.map((attempt) => jsonOf(attempt, flags)), more },
      text: () =>
        found.length === 0 ? empty : [...byDay(found, shown), ...belowWords(found, more, app.org)].join("\n"),
    });
    return;
  }
  let day = "";
  const show = (attempts: readonly LoggedAttempt[]) => {
    for (const attempt of attempts) {
      after = Math.max(after, attempt.id);
      const today = dayWords(attempt.at, time);
      if (today !== day && !globals.json) world.io.out(`${terminal.paint.bold(today)}\n`);
      day = today;
      print({ json: jsonOf(attempt, flags), text: () => renderLine(attempt, shown) });
    }
  };
  show(found);
  if (globals.json !== true && found.length === 0) world.io.err("waiting for attempts\n");
  await new Promise<void>((resolve, reject) => {
    let showing = Promise.resolve();
    const showNew = () => {
      showing = showing
        .then(async () => {
          const page = await store.attempts({ ...query, after, limit: WHOLE });
          show(page.attempts);
          // Past what does not fit, too: else each change has all of it looked at again.
          after = Math.max(after, page.newest);
        })
        .catch(reject);
    };
    const stop = store.watch(showNew);
    showNew();
    const end = () => {
      stop();
      void showing.then(resolve);
    };
    if (world.signal.aborted) end();
    else world.signal.addEventListener("abort", end, { once: true });
  });
}

/** The log and what was asked of it. */
async function openFor(session: Session, flags: Flags) {
  const { vendor, outcome } = flags;
  const times = timesOf(flags);
  const email = await emailFrom(session, flags.email);
  const store = await logToRead(session, vendor);
  return { store, filter: { ...defined({ vendor, outcome, email }), ...times } };
}

/** Beside those that were found, as far as anybody counts. */
async function moreThan(
  found: readonly LoggedAttempt[],
  { limit, ...query }: AttemptQuery,
  store: Store,
): Promise<number> {
  if (found.length < limit) return 0;
  return Math.max(0, (await store.countAttempts(query, limit + COUNTED_AT_MOST)) - found.length);
}

/** What is left out, and what to type for what came to a standstill. */
function belowWords(found: readonly LoggedAttempt[], more: number, org: string): string[] {
  const rest = moreWords(more, "earlier attempt");
  const gone = found.find(
    ({ outcome, pushState, heldCause }) => outcome === "held" && pushState === "held" && heldCause === "gone",
  );
  const anew = gone && replayCommand({ vendor: gone.vendor, org }, "gone");
  return [
    ...(rest === null ? [] : [rest]),
    ...(anew ? [`Held since their contacts are gone from the portal; to make them anew: ${anew}`] : []),
  ];
}

async function showSummary(session: Session, flags: Flags): Promise<void> {
  const { app, terminal, print } = session;
  const { store, filter } = await openFor(session, flags);
  const sums = (await store?.attemptSums({ org: app.org, ...filter })) ?? [];
  const time = shownTime(flags.local);
  print({
    json: {
      sums: sums.map(({ firstAt, lastAt, ...sum }) => ({
        ...sum,
        firstAt: iso(firstAt),
        lastAt: iso(lastAt),
      })),
    },
    text: () =>
      sums.length === 0
        ? "No attempt in that time."
        : [...summaryLines(sums, terminal, time), ...nextFor(sums, app.org)].join("\n"),
  });
}

const SUMMARY_COLUMNS = [
  { name: "outcome", whole: true },
  { name: "vendor", drop: 3 },
  "candidates",
  { name: "tries", drop: 2 },
  { name: "first", drop: 1, whole: true },
  { name: "last", whole: true },
] as const;

function summaryLines(sums: readonly AttemptSum[], { table }: Terminal, time: ShownTime): string[] {
  const rows = sums.map((sum) => [
    outcomeWords(sum.outcome),
    placeOf(sum),
    grouped(sum.subjects),
    grouped(sum.attempts),
    time.second(sum.firstAt),
    time.second(sum.lastAt),
  ]);
  return [table(SUMMARY_COLUMNS, rows)];
}

/** For what did not go out: where its reasons stand. */
function nextFor(sums: readonly AttemptSum[], org: string): string[] {
  return sums.flatMap(({ vendor, outcome, subjects }) =>
    outcome === "rejected" || outcome === "held"
      ? [
          `Why ${count(subjects, "result")} ${subjects === 1 ? "was" : "were"} ${outcome}: ${logsCommand({ vendor, org }, outcome)}`,
        ]
      : [],
  );
}

async function showRuns(session: Session, flags: Flags): Promise<void> {
  const { app, terminal, print } = session;
  const store = await logToRead(session);
  const runs = (await store?.runs(app.org, flags.all ? WHOLE : flags.limit)) ?? [];
  print({
    json: {
      runs: runs.map((run) => ({
        ...run,
        filter: shownFilter(run, flags),
        startedAt: iso(run.startedAt),
        endedAt: run.endedAt === null ? null : iso(run.endedAt),
      })),
    },
    text: () => (runs.length === 0 ? "No replay or backfill yet." : renderRuns(runs, flags, terminal)),
  });
}

async function showRequests(session: Session, flags: Flags): Promise<void> {
  const { app, terminal, print } = session;
  const store = await logToRead(session);
  const query = { org: app.org, ...timesOf(flags), limit: flags.all ? WHOLE : flags.limit };
  const tries = (await store?.requestAttempts(query)) ?? [];
  const time = shownTime(flags.local);
  print({
    json: { requests: tries.map(({ at, ...attempt }) => ({ ...attempt, at: iso(at) })) },
    text: () =>
      tries.length === 0
        ? "JobCannon was not asked for any invite in that time."
        : terminal.table(
            [
              { name: "at", whole: true },
              "outcome",
              { name: "status", drop: 2 },
              { name: "test", drop: 3 },
              "candidate",
              { name: "assessment", drop: 1 },
              { name: "words", below: true },
            ],
            tries.map((attempt) => [
              time.second(attempt.at),
              attempt.outcome,
              String(attempt.httpStatus ?? "–"),
              plain(attempt.test),
              plain(attempt.candidateId),
              plain(attempt.assessmentId),
              plain(attempt.reason ?? "–"),
            ]),
          ),
  });
}

function shownFilter({ filter }: Run, { reveal }: Flags): Run["filter"] {
  const { email } = filter;
  if (reveal || typeof email !== "string" || isPlaceholder(email)) return filter;
  return { ...filter, email: maskEmail(email) };
}

function renderRuns(runs: readonly Run[], flags: Flags, { table }: Terminal): string {
  const rows = runs.map((run) => [
    shortTime(run.startedAt),
    run.command,
    plain(run.who),
    plain(filterWords(shownFilter(run, flags))),
    countsOf(run),
    run.endedAt === null ? "interrupted or under way" : "ended",
  ]);
  return table(
    [
      { name: "started", whole: true },
      "command",
      { name: "who", drop: 1 },
      { name: "filter", drop: 2 },
      "counts",
      { name: "state", drop: 3 },
    ],
    rows,
  );
}

const SHOWN_IDS = 3;

/** As it was typed, so that it can be typed again: `status rejected, since 2026-11-01`. */
function filterWords({ invitationIds, state, includeInProgress, ...rest }: Run["filter"]): string {
  const ids = Array.isArray(invitationIds) ? invitationIds.map(String) : [];
  const more = ids.length - SHOWN_IDS;
  const parts = [
    ...ids.slice(0, SHOWN_IDS),
    ...(more > 0 ? [`${grouped(more)} more`] : []),
    ...(state === undefined ? [] : [`status ${state}`]),
    ...Object.entries(rest).map(
      ([name, value]) => `${name} ${typeof value === "number" ? day(value) : value}`,
    ),
    ...(includeInProgress === true ? ["include in progress"] : []),
  ];
  return parts.join(", ") || "–";
}

/** "2026-11-01", or "2026-11-01T09:30:00Z" within a day. */
function day(at: number): string {
  return iso(at)
    .replace(/\.000Z$/, "Z")
    .replace(/T00:00:00Z$/, "");
}

function countsOf({ counts }: Run): string {
  if (!counts) return "–";
  const { queued, delivered, rejected, held = 0, skipped } = counts;
  const parts = [`${queued} queued`, `${delivered} delivered`, `${rejected} rejected`, `${held} held`];
  return [...parts, ...(skipped > 0 ? [`${skipped} held before`] : [])].join(", ");
}

/** `version` is that of the output, so the push's own has another name. */
function jsonOf(attempt: LoggedAttempt, { reveal }: Flags) {
  const { subject, reason, at, version: pushVersion, pushState: _, heldCause: __, ...rest } = attempt;
  return {
    ...rest,
    pushVersion,
    at: iso(at),
    subject: reveal ? subject : maskEmail(subject),
    reason: reason === null || reveal ? reason : maskedWords(reason, [subject]),
  };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

function readOutcome(text: string): NewAttempt["outcome"] {
  const outcome = ATTEMPT_OUTCOMES.find((known) => known === text);
  if (outcome) return outcome;
  throw new InvalidArgumentError(`It is one of ${ATTEMPT_OUTCOMES.join(", ")}.`);
}
