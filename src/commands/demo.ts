import { type Command, Option } from "commander";
import { DEMO_COMMAND } from "../core/advice/command-lines.ts";
import { DEFAULT_VENDOR } from "../core/default-vendor.ts";
import { VENDORS } from "../vendors/index.ts";
import type { DemoOptions } from "../demo/demo.ts";
import { AppError } from "../shared/errors.ts";
import { hasReaderLeft } from "../shared/io.ts";
import { withoutApp } from "./session/with-app.ts";
import type { World } from "../shared/world.ts";

/** Read, shown to others and pasted into documents. */
const COLUMNS = 80;

export function registerDemo(program: Command, world: World): void {
  program
    .command("demo")
    .description("the main job end to end on the embedded emulator; leaves nothing behind")
    .option("--keep", "leave it running afterwards, until Ctrl-C")
    .addOption(
      new Option("--hubspot-version <version>", "in this version of HubSpot's API").choices(versions()),
    )
    .addOption(
      new Option(
        "--profile <profile>",
        "SmartRecruiters as the setup guide has it, or as its own documents do",
      )
        .choices(["v1", "published"])
        .default("v1"),
    )
    .addHelpText(
      "after",
      "\nExamples:\n  jc-integrations demo --keep\n  jc-integrations demo --profile published",
    )
    .action((options: Omit<DemoOptions, "keep"> & { keep?: boolean }, command: Command) =>
      withoutApp(
        world,
        command,
        async (output) => {
          if (output.globals.json)
            throw new AppError("USAGE", "demo tells its steps to people, and has no JSON", {
              hint: DEMO_COMMAND,
            });
          const { runDemo } = await import("../demo/demo.ts");
          await runDemo(output, { ...options, keep: options.keep === true }).catch((error: unknown) => {
            // As of every pager: nothing of it is left to be done.
            if (!hasReaderLeft(world.signal)) throw error;
          });
        },
        { atMost: COLUMNS },
      ),
    );
}

function versions(): string[] {
  return Object.keys(VENDORS.find(({ vendor }) => vendor === DEFAULT_VENDOR)?.versions ?? {});
}
