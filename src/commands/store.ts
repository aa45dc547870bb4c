import type { Command } from "commander";
import type { World } from "../shared/world.ts";
import { connectCommand } from "../core/advice/command-lines.ts";
import { withApp } from "./session/with-app.ts";

export function registerStore(program: Command, world: World): void {
  const store = program
    .command("store")
    .description("the log itself: the file that holds all results")
    .addHelpText("after", "\nExample:\n  jc-integrations store new-log");
  store
    .command("new-log")
    .description("begin a new log where the old one is gone, or accept the one that stands there")
    .addHelpText("after", "\nExample:\n  jc-integrations store new-log")
    .action((_options: object, command: Command) =>
      withApp(world, command, async ({ app, print }) => {
        const { endServeFault, serveFaults } = await import("../flows/watch/serve-faults.ts");
        const isMissed = serveFaults(app.stateDir).some(({ kind }) => kind === "lost");
        const accepted = await app.acceptLog({ isMissed });
        if (isMissed) endServeFault(app.stateDir, "lost");
        const next = connectCommand({ org: app.org, vendor: "hubspot", environment: "production" });
        print({
          json: { log: accepted, stateDir: app.stateDir },
          text: () => `${WORDS[accepted](app.stateDir)}${accepted === "created" ? `\nNext: ${next}` : ""}`,
        });
      }),
    );
}

const WORDS = {
  created: (stateDir: string) =>
    `A new log begins in ${stateDir}. A running serve takes it up within seconds; what the old one held is not in it.`,
  accepted: (stateDir: string) =>
    `The log in ${stateDir} is accepted. A running serve takes it up within seconds.`,
  unchanged: (stateDir: string) => `The log in ${stateDir} is the one in use. Nothing was changed.`,
};
