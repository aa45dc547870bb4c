import type { Command } from "commander";
import { refuseMistyped } from "./session/log-to-read.ts";
import { withApp } from "./session/with-app.ts";
import type { World } from "../shared/world.ts";

export function registerAlerts(program: Command, world: World): void {
  program
    .command("alerts")
    .description("how the owner of an org hears of trouble")
    .addHelpText("after", "\nExample:\n  jc-integrations alerts test")
    .command("test")
    .description("send one alert to the org's Telegram chat")
    .addHelpText("after", "\nExample:\n  jc-integrations alerts test --org acme")
    .action((_options: object, command: Command) =>
      withApp(world, command, async (session) => {
        const { app, print } = session;
        await refuseMistyped(session);
        const { sendTestAlert } = await import("../flows/alerting/chat.ts");
        await sendTestAlert(app, app.org, world.signal);
        print({ json: { sent: true }, text: () => `Sent. Look at the Telegram chat of ${app.org}.` });
      }),
    );
}
