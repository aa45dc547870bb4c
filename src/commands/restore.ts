import { join, resolve } from "node:path";
import type { Command } from "commander";
import { BACKUPS_COMMAND, SERVE_COMMAND } from "../core/advice/command-lines.ts";
import { AppError } from "../shared/errors.ts";
import { count } from "../shared/text.ts";
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
        const [{ attemptsText, planRestore, planText, refuseHeld, restoreLog }, { orAborted }] =
          await Promise.all([import("../flows/backup/restore.ts"), import("../flows/backup/take.ts")]);
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
        if (options.dryRun)
          return print({ json: { ...planned, isDryRun: true }, text: () => planText(plan) });
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
  unreadable,
  unreadableTables,
}: {
  refused: number;
  unreadable: number;
  unreadableTables: readonly string[];
}): string[] {
  return [
    ...(unreadable > 0
      ? [`${count(unreadable, "row")} of the old log could not be read, and did not come along.`]
      : []),
    ...(refused > 0 ? [`${count(refused, "event")} of the old log could not be taken over.`] : []),
    ...(unreadableTables.length > 0
      ? [
          `Could not be read in the old log: ${unreadableTables.join(", ")}. Who was erased since the backup must be erased again.`,
        ]
      : []),
  ];
}
