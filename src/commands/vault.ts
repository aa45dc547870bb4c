import type { Command } from "commander";
import { withApp } from "./with-app.ts";
import type { World } from "./world.ts";

export function registerVault(program: Command, world: World): void {
  const vault = program.command("vault").description("where tokens and secrets rest");

  vault
    .command("status")
    .description("backend, and whether it can be read now (exit 5 when not)")
    .action((_options: object, command: Command) =>
      withApp(world, command, async ({ app, print }) => {
        const opened = await app.vault();
        const names = await opened.names("");
        await opened.read(names);
        print({
          json: { backend: opened.backend, items: names.length, readable: true },
          text: () => `${opened.describe()}: readable, ${names.length} items`,
        });
      }),
    );
}
