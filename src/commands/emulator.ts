import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { AppError } from "../shared/errors.ts";
import { listed } from "../shared/text.ts";
import { emulatedLines, VENDORS } from "../vendors/index.ts";
import { withoutApp } from "./session/with-app.ts";
import type { World } from "../shared/world.ts";

const SECRET_VARIABLE = "JC_EMULATOR_JOBCANNON_SECRET";
const EMULATED = VENDORS.filter(({ emulated }) => Object.keys(emulated).length > 0).map(({ label }) => label);

export function registerEmulator(program: Command, world: World): void {
  program
    .command("emulator")
    .description(`${listed([...EMULATED, "Telegram"])} on loopback, with fault switches under /_control`)
    .option("--port <n>", "0 takes any free one", readPort, 8480)
    .option("--auto-approve", "consent pages redirect at once")
    .option("--hubspot-limit <limit>", "as 100/10s, or none", "110/10s")
    .option("--jobcannon-url <url>", "the receiver of JobCannon's events, as http://127.0.0.1:8470")
    .option(
      "--jobcannon-secret <file>",
      `file that holds the secret (whsec_…) with which those events are signed; else ${SECRET_VARIABLE}`,
    )
    .option("--jobcannon-org <slug>", "the org that those events name", "default")
    .addHelpText("after", "\nExample:\n  jc-integrations emulator --port 8480 --auto-approve")
    .action((options: Options, command: Command) =>
      withoutApp(world, command, async ({ print, say }) => {
        const { startEmulator } = await import("../emulator/emulator.ts");
        const { jobcannonSecret: file, ...rest } = options;
        const emulator = await startEmulator({
          ...rest,
          autoApprove: options.autoApprove === true,
          ...jobcannonSecret(world, file),
        });
        const { url, urls } = emulator;
        print({
          json: { url, ...urls },
          text: () =>
            [
              `# listening on ${url}; behind org and [vault] this is a configuration`,
              "",
              ...sectionsFor(urls),
              "[alerts.telegram]",
              `api_base = "${urls.telegram}"`,
            ].join("\n"),
        });
        say("Ctrl-C ends it; its state is gone then.");
        await new Promise((resolve) => world.signal.addEventListener("abort", resolve, { once: true }));
        await emulator.close();
      }),
    );
}

function sectionsFor(urls: Readonly<Record<string, string>>): string[] {
  return VENDORS.flatMap((declared) => {
    const lines = emulatedLines(declared, urls[declared.vendor] ?? "");
    if (lines.length === 0) return [];
    // Any id will do there, and without one nothing is connected.
    const client = Object.hasOwn(declared.keys.global, "client_id") ? ['client_id = "any"'] : [];
    return [`[${declared.vendor}]`, ...client, ...lines];
  });
}

/** Never from the command line itself, which every user of the machine can read. */
function jobcannonSecret(world: World, file: string | undefined): { jobcannonSecret?: string } {
  const text = file === undefined ? world.env[SECRET_VARIABLE] : readSecret(resolve(world.cwd, file), file);
  if (!text) return {};
  const value = text.trim();
  world.redact.learn(value);
  return { jobcannonSecret: value };
}

function readSecret(path: string, given: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const isSecret = given.startsWith("whsec_");
    throw new AppError(
      "USAGE",
      isSecret ? "--jobcannon-secret takes a file, not the secret itself" : `${path} cannot be read`,
      {
        hint: `Everybody on this machine sees what is typed: put the secret into a file, or into ${SECRET_VARIABLE}.`,
        // Its path would be the secret.
        ...(isSecret ? {} : { cause }),
      },
    );
  }
}

interface Options {
  port: number;
  autoApprove?: boolean;
  hubspotLimit: string;
  jobcannonUrl?: string;
  jobcannonSecret?: string;
  jobcannonOrg: string;
}

function readPort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError("It is a number from 0 to 65535.");
}
