import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { withApp } from "./session/with-app.ts";
import type { World } from "../shared/world.ts";

export function registerServe(program: Command, world: World): void {
  program
    .command("serve")
    .description(
      "receive webhooks, deliver, sweep; until SIGTERM; SIGHUP reads secrets, certificate and log level anew",
    )
    .addHelpText("after", "\nExample:\n  jc-integrations serve --config /etc/jc-integrations/config.toml")
    .action((_options: object, command: Command) =>
      withApp(
        world,
        command,
        async ({ app, globals, world: { io, signal, distUrl, keepRunning, redact, takeHanded } }) => {
          const [{ serve }, { createNotify }] = await Promise.all([
            import("../daemon/serve.ts"),
            import("../systemd/notify.ts"),
          ]);
          const { sockets, watchdogMs, notify } = takeHanded();
          await serve(app, {
            signal,
            own: {
              directory: fileURLToPath(new URL("../", distUrl)),
              lost: io.lost,
              keepRunning,
              sockets,
              watchdogMs,
              notify: createNotify(notify, redact),
            },
            onListening: (address, admin) => {
              if (globals.json) io.out(`${JSON.stringify({ version: 1, listening: address, admin })}\n`);
            },
          });
        },
        { isAttended: false },
      ),
    );
}
