import { type Command, InvalidArgumentError, Option } from "commander";
import { ATTEMPT_OUTCOMES } from "../core/push.ts";
import type { World } from "../shared/world.ts";
import type { NewAttempt } from "../store/contract/store.ts";
import { type AttemptFlags, followAttempts, showAttempts } from "./logs-attempts.ts";
import { showRequests } from "./logs-requests.ts";
import { showRuns } from "./logs-runs.ts";
import { showSummary } from "./logs-summary.ts";
import { EMAIL_OPTION, EMAIL_WORDS } from "./session/email.ts";
import { vendorNames } from "./session/known-values.ts";
import { readLimit, timeReader } from "./session/option-values.ts";
import { LOCAL_OPTION, LOCAL_WORDS } from "./session/shown-time.ts";
import { withApp } from "./session/with-app.ts";

interface Flags extends AttemptFlags {
  summary?: boolean;
  follow?: boolean;
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
    .option("--invite <id>", "only of results that this invite is part of")
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
        "invite",
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
      ).conflicts(["vendor", "outcome", "email", "invite", "follow", "summary", "runs"]),
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
        if (flags.summary) return showSummary(session, flags);
        return flags.follow ? followAttempts(session, flags) : showAttempts(session, flags);
      }),
    );
}

function readOutcome(text: string): NewAttempt["outcome"] {
  const outcome = ATTEMPT_OUTCOMES.find((known) => known === text);
  if (outcome) return outcome;
  throw new InvalidArgumentError(`It is one of ${ATTEMPT_OUTCOMES.join(", ")}.`);
}
