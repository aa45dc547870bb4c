import type { Command } from "commander";
import { withoutApp } from "./session/with-app.ts";
import type { World } from "../shared/world.ts";

export function registerDemo(program: Command, world: World): void {
  program
    .command("demo")
    .description("the main job end to end on the embedded emulator; leaves nothing behind")
    .option("--keep", "leave it running afterwards, until Ctrl-C")
    .action((options: { keep?: boolean }, command: Command) =>
      withoutApp(world, command, async (output) => {
        const { runDemo } = await import("../demo/demo.ts");
        await runDemo(output, { keep: options.keep === true });
      }),
    );
}
