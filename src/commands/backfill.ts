import type { Command } from "commander";
import { refuseMistyped } from "./session/log-to-read.ts";
import { defined, refuseEmptyTimes } from "./session/option-values.ts";
import { previewOrRun, RERUN_EXITS, type RerunFlags, withRerunOptions } from "./session/rerun-options.ts";
import { withApp } from "./session/with-app.ts";
import type { World } from "../shared/world.ts";

export function registerBackfill(program: Command, world: World): void {
  const backfill = program
    .command("backfill")
    .description("deliver what was never sent: a portal connected late, an import; previews unless --yes")
    .option("--include-in-progress", "also candidates who are still at it");
  withRerunOptions(backfill, world)
    .addHelpText(
      "after",
      `\nWithout a filter: all. --since and --until look at the invite's newest event.${RERUN_EXITS}\n\nExample:\n  jc-integrations backfill --since 2026-10-01 --yes`,
    )
    .action((flags: RerunFlags & { includeInProgress?: boolean }, command: Command) =>
      withApp(world, command, async (session) => {
        refuseEmptyTimes(flags);
        const { planBackfill } = await import("../flows/rerun/backfill.ts");
        const { app } = session;
        const { vendor, since, until } = flags;
        await refuseMistyped(session, vendor);
        const filter = { ...defined({ since, until }), includeInProgress: flags.includeInProgress === true };
        const selections = await planBackfill(await app.store(), { org: app.org, vendor, filter });
        await previewOrRun(session, {
          selections,
          flags,
          run: { command: "backfill", filter: { ...filter, vendor } },
        });
      }),
    );
}
