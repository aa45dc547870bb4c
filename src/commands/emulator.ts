import { type Command, InvalidArgumentError } from "commander";
import { withoutApp } from "./with-app.ts";
import type { World } from "./world.ts";

export function registerEmulator(program: Command, world: World): void {
  program
    .command("emulator")
    .description("HubSpot and Telegram on loopback, with fault switches under /_control")
    .option("--port <n>", "0 takes any free one", readPort, 8480)
    .option("--auto-approve", "consent pages redirect at once")
    .option("--hubspot-limit <limit>", "as 100/10s, or none", "110/10s")
    .addHelpText("after", "\nExample:\n  jc-integrations emulator --port 8480 --auto-approve")
    .action((options: { port: number; autoApprove?: boolean; hubspotLimit: string }, command: Command) =>
      withoutApp(world, command, async ({ print, say }) => {
        const { startEmulator } = await import("../emulator/emulator.ts");
        const emulator = await startEmulator({ ...options, autoApprove: options.autoApprove === true });
        const { url, hubspot, telegram } = emulator;
        print({
          json: { url, hubspot, smartrecruiters: `${url}/smartrecruiters`, telegram },
          text: () =>
            [
              `listening on ${url}`,
              "",
              "[hubspot]",
              `api_base = "${hubspot}"`,
              `authorize_url = "${hubspot}/oauth/authorize"`,
              "[alerts.telegram]",
              `api_base = "${telegram}"`,
            ].join("\n"),
        });
        say("Ctrl-C ends it; its state is gone then.");
        await new Promise((resolve) => world.signal.addEventListener("abort", resolve, { once: true }));
        await emulator.close();
      }),
    );
}

function readPort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError("It is a number from 0 to 65535.");
}
