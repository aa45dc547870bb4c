import { DEFAULT_VENDOR } from "../core/default-vendor.ts";
import { connectCommand } from "../core/advice/command-lines.ts";
import { type Command, InvalidArgumentError, Option } from "commander";
import { ATTEMPT_OUTCOMES } from "../core/push.ts";
import { AppError } from "../shared/errors.ts";
import type { Terminal } from "../shared/terminal.ts";
import { grouped, maskEmail, plain, short, shortTime } from "../shared/text.ts";
import type { AttemptQuery, LoggedAttempt, NewAttempt, Run } from "../store/contract/store.ts";
import { EMAIL_OPTION, EMAIL_WORDS, emailFrom } from "./session/email.ts";
import { logToRead } from "./session/log-to-read.ts";
import { maskedWords } from "./session/masked-words.ts";
import { readLimit, readTime, refuseEmptyTimes } from "./session/option-values.ts";
import { defined } from "./replay.ts";
import { type Session, withApp } from "./session/with-app.ts";
import type { World } from "../shared/world.ts";

/** Whatever came since the last look: a limit would leave out the oldest of it. */
const ALL = Number.MAX_SAFE_INTEGER;

interface Flags {
  vendor?: string;
  outcome?: NewAttempt["outcome"];
  email?: string;
  since?: number;
  until?: number;
  limit: number;
  follow?: boolean;
  reveal?: boolean;
  runs?: boolean;
}

export function registerLogs(program: Command, world: World): void {
  program
    .command("logs")
    .description("the delivery log: every try of every push, with the vendor's words")
    .option("--vendor <vendor>", "only this vendor's")
    .option("--outcome <outcome>", ATTEMPT_OUTCOMES.join(", "), readOutcome)
    .option(EMAIL_OPTION, `only this candidate's ${EMAIL_WORDS}`)
    .option("--since <time>", "from then on", readTime)
    .option("--until <time>", "up to then, exclusive", readTime)
    .option("--limit <n>", "the last so many", readLimit, 50)
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
      ]),
    )
    .addHelpText("after", "\nExample:\n  jc-integrations logs --outcome rejected --since 2026-11-01")
    .action((flags: Flags, command: Command) =>
      withApp(world, command, (session) =>
        flags.runs ? showRuns(session, flags) : showAttempts(session, flags),
      ),
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
  const { vendor, outcome, since, until } = flags;
  refuseEmptyTimes(flags);
  const email = await emailFrom(session, flags.email);
  const store = await logToRead(session, vendor);
  if (!store) {
    if (flags.follow) throw noLogYet(app);
    print({ json: { attempts: [] }, text: () => NO_ATTEMPTS });
    return;
  }
  const filter = defined({ vendor, outcome, email, since, until });
  const query: AttemptQuery = { org: app.org, ...filter, limit: flags.limit };
  const { attempts: found, newest } = await store.attempts(query);
  let after = newest;
  if (!flags.follow) {
    const mayHaveOthers = found.length === 0 && Object.keys(filter).length > 0;
    const any = mayHaveOthers ? await store.attempts({ org: app.org, limit: 1 }) : null;
    const empty = !any || any.attempts.length === 0 ? NO_ATTEMPTS : NONE_MATCHES;
    print({
      json: { attempts: found.map((attempt) => jsonOf(attempt, flags)) },
      text: () => (found.length === 0 ? empty : renderTable(found, flags, terminal)),
    });
    return;
  }
  const show = (attempts: readonly LoggedAttempt[]) => {
    for (const attempt of attempts) {
      after = Math.max(after, attempt.id);
      print({ json: jsonOf(attempt, flags), text: () => renderLine(attempt, flags) });
    }
  };
  show(found);
  if (globals.json !== true && found.length === 0) world.io.err("waiting for attempts\n");
  await new Promise<void>((resolve, reject) => {
    let showing = Promise.resolve();
    const showNew = () => {
      showing = showing
        .then(async () => {
          const page = await store.attempts({ ...query, after, limit: ALL });
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

async function showRuns(session: Session, flags: Flags): Promise<void> {
  const { app, terminal, print } = session;
  const store = await logToRead(session);
  const runs = (await store?.runs(app.org, flags.limit)) ?? [];
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

function shownFilter({ filter }: Run, { reveal }: Flags): Run["filter"] {
  const { email } = filter;
  return reveal || typeof email !== "string" ? filter : { ...filter, email: maskEmail(email) };
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
  return table(["started", "command", "who", "filter", "counts", "state"], rows);
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
  return `${counts.queued} queued, ${counts.delivered} delivered, ${counts.rejected} rejected`;
}

function renderTable(attempts: readonly LoggedAttempt[], flags: Flags, { table }: Terminal): string {
  const rows = attempts.map((attempt) => columnsOf(attempt, flags));
  const headings = [
    "at",
    "vendor",
    "candidate",
    "invite",
    "outcome",
    "status",
    "ms",
    "correlation id",
    "words",
  ];
  return table(headings, rows);
}

/** Of each column but the last, for what there mostly is: a line that is printed cannot wait for what follows. */
const WIDTHS = [20, 15, 26, 16, 9, 3, 5, 36];

function renderLine(attempt: LoggedAttempt, flags: Flags): string {
  const columns = columnsOf(attempt, flags).map((text, index) => text.padEnd(WIDTHS[index] ?? 0));
  return columns.join("  ").trimEnd();
}

/** Addresses are personal data: masked until asked for, in the vendor's words too. */
function columnsOf(attempt: LoggedAttempt, { reveal }: Flags): string[] {
  const words = attempt.reason ?? "";
  return [
    shortTime(attempt.at),
    attempt.vendor,
    short(reveal ? attempt.subject : maskEmail(attempt.subject)),
    plain(attempt.invitationId ?? "–"),
    attempt.outcome,
    String(attempt.httpStatus ?? "–"),
    String(attempt.durationMs),
    plain(attempt.correlationId ?? "–"),
    short(reveal ? words : maskedWords(words, [attempt.subject]), 200),
  ];
}

/** `version` is that of the output, so the push's own has another name. */
function jsonOf(attempt: LoggedAttempt, { reveal }: Flags) {
  const { subject, reason, at, version: pushVersion, ...rest } = attempt;
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
