import { join, resolve } from "node:path";
import type { Command } from "commander";
import { BACKUPS_COMMAND, SERVE_COMMAND } from "../core/advice/command-lines.ts";
import { AppError } from "../shared/errors.ts";
import { count, listed } from "../shared/text.ts";
import { agreed } from "./session/agreement.ts";
import { withApp } from "./session/with-app.ts";
import type { World } from "../shared/world.ts";

export function registerRestore(program: Command, world: World): void {
  program
    .command("restore")
    .argument("<backup>", "the file to go back to, as `backup list` names them")
    .description("go back to a backup, with what came after it as far as the old log can be read")
    .option("--dry-run", "say what would be done, and do nothing")
    .addHelpText(
      "after",
      "\nserve must be stopped. The old log is moved aside, never deleted. Tokens and\nsecrets stay as they are. What was cut off is done by typing it again.\n\nExample:\n  jc-integrations restore backups/log-20261128T030000Z.backup",
    )
    .action((backup: string, options: { dryRun?: boolean }, command: Command) =>
      withApp(world, command, async (session) => {
        const { app, print, say } = session;
        const [
          { erasedSince, planRestore, refuseHeld, restoreLog },
          { attemptsText, lostText, planText },
          { orAborted },
        ] = await Promise.all([
          import("../flows/backup/restore.ts"),
          import("../flows/backup/restore-words.ts"),
          import("../flows/backup/take.ts"),
        ]);
        const file = resolve(world.cwd, backup);
        if (file === join(app.stateDir, "log.db"))
          throw new AppError("USAGE", `${file} is the log itself`, {
            hint: `Name a backup: ${BACKUPS_COMMAND}`,
          });
        const plan = await orAborted(planRestore(app, file), world.signal);
        const { counts } = plan.checked;
        const planned = {
          backup: file,
          counts,
          old: plan.old.condition,
          missing: plan.missing,
          staysRemoved: plan.staysRemoved,
          attemptsLeft: plan.attemptsLeft,
        };
        if (options.dryRun) {
          const erased = await erasedSince(app, file);
          const text = () => [planText(plan), ...stayErasedText(erased)].join("\n");
          return print({ json: { ...planned, erased, isDryRun: true }, text });
        }
        refuseHeld(await app.restoring(), app.stateDir);
        say(`${planText(plan)}\n`);
        await agreed(session, "The backup takes the log's place, and the old log is moved aside");
        const steps = restoreLog(app, file);
        let step = await steps.next();
        while (!step.done) step = await steps.next();
        const report = step.value;
        print({
          json: { ...planned, ...report },
          text: () =>
            [
              `The log is the backup's: it held ${count(counts.events, "event")}, and ${count(report.events, "event")} of the old log came after it.`,
              "status tells how many events were ever taken, also those that were erased or removed since.",
              ...(plan.staysRemoved > 0
                ? [`Without ${count(plan.staysRemoved, "invite")} that retention had removed since.`]
                : []),
              ...erasedText(report.erased),
              ...(report.unreadable > 0
                ? [`Not all of the old log came along: ${lostText(report)} could not be read.`]
                : []),
              ...lossText(report),
              ...attemptsText(plan),
              report.aside === null
                ? ""
                : `The old log's files are kept in ${report.aside}. Remove them when all is well.`,
              `${count(report.due, "result")} ${report.due === 1 ? "is" : "are"} due and will be sent by: ${SERVE_COMMAND}`,
            ]
              .filter((line) => line !== "")
              .join("\n"),
        });
      }),
    );
}

/** Before anything is done. */
function stayErasedText(erased: { people: number; unknown: number } | null): string[] {
  if (erased === null)
    return [
      "How many people of it were erased since cannot be told now: the vault or the backup does not say it.",
    ];
  const { people, unknown } = erased;
  const were = people === 1 ? "1 person of it stays" : `${people} people of it stay`;
  return [
    ...(people > 0 ? [`${were} erased: that was done since.`] : []),
    ...erasedText({ people: 0, unknown }),
  ];
}

function erasedText({ people, unknown }: { people: number; unknown: number }): string[] {
  return [
    ...(people > 0
      ? [
          `Without ${people === 1 ? "one person" : `${people} people`} who ${people === 1 ? "was" : "were"} erased since.`,
        ]
      : []),
    ...(unknown > 0
      ? [
          `The key of ${count(unknown, "erasure")} is gone with an older vault: whom the backup brought back must be erased again.`,
        ]
      : []),
  ];
}

function lossText({
  refused,
  unreadableTables,
  isErasureKnown,
}: {
  refused: number;
  unreadableTables: readonly string[];
  isErasureKnown: boolean;
}): string[] {
  return [
    ...(refused > 0 ? [`${count(refused, "event")} of the old log could not be taken over.`] : []),
    ...(unreadableTables.length > 0
      ? [`Of the old log this could not be read either: ${listed(unreadableTables.map(wordsFor))}.`]
      : []),
    ...(unreadableTables.includes("erasures") ? [erasureWords(isErasureKnown)] : []),
  ];
}

function erasureWords(isErasureKnown: boolean): string {
  return isErasureKnown
    ? "Who was erased since the backup stays erased: the vault knows them."
    : "Whoever was erased since the backup must be erased again.";
}

/** What stands in the tables that events do not bring again. */
const HELD: Readonly<Record<string, string>> = {
  erasures: "who was erased",
  tombstones: "which invites retention removed",
  forgotten: "what invites that retention removed had told",
  purges: "how much retention removed each day",
  trials: "made-up candidates of sandbox tests",
  consents: "links for consent",
  refusals: "counts of refused webhooks",
  catalog: "the tests of jobs and stages",
  invite_requests: "invites that stages ask for",
  request_attempts: "tries to ask JobCannon for them",
};

function wordsFor(table: string): string {
  return HELD[table] ?? table;
}
