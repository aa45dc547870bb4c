import { type Command, InvalidArgumentError } from "commander";
import { globalKeys } from "../shared/config-keys.ts";
import { AppError } from "../shared/errors.ts";
import { count } from "../shared/text.ts";
import { lookAtConfig } from "./session/config-problems.ts";
import { type Session, withApp, withoutApp } from "./session/with-app.ts";
import type { Output, World } from "../shared/world.ts";

export function registerConfig(program: Command, world: World): void {
  const config = program
    .command("config")
    .description("what is configured, and where it comes from")
    .addHelpText("after", "\nExample:\n  jc-integrations config show");

  config
    .command("show")
    .description("every value with its origin; secrets rest in the vault and are never shown")
    .addHelpText("after", "\nExample:\n  jc-integrations config show")
    .action((_options: object, command: Command) =>
      withApp(world, command, async (session) => showConfig(session)),
    );

  config
    .command("init")
    .description("ask what a first connection needs, and write the file; never over one that is there")
    .option("--set <key=value>", "a key as in the file, instead of being asked; many times", readSetting)
    .addHelpText(
      "after",
      "\nWithout a terminal it writes what --org and --set say.\n\nExamples:\n  jc-integrations config init\n  jc-integrations config init --org acme --set hubspot.client_id=1234 --no-input",
    )
    .action(({ set = {} }: { set?: Record<string, string> }, command: Command) =>
      withoutApp(world, command, async (output) => {
        const [{ configOptions }, { initConfig }] = await Promise.all([
          import("../app/configuration.ts"),
          import("./config-init.ts"),
        ]);
        await initConfig(output, configOptions(world, output.globals), set);
      }),
    );

  config
    .command("check")
    .description("say all that is wrong with it at once (exit 2), and what has no effect (exit 0)")
    .addHelpText(
      "after",
      "\nExample:\n  jc-integrations config check --config /etc/jc-integrations/config.toml",
    )
    .action((_options: object, command: Command) =>
      withoutApp(world, command, (output) => checkConfig(output)),
    );

  config
    .command("path")
    .description("which file is read, and where the state rests")
    .addHelpText("after", "\nExample:\n  jc-integrations config path")
    .action((_options: object, command: Command) =>
      withApp(world, command, async (session) => showPath(session)),
    );
}

function showConfig({ app, terminal, print }: Session): void {
  const { orgs, sandbox, origins, file, text: _text, ...values } = app.config;
  const keys = globalKeys(app.vendors);
  const rows = Object.entries(values).map(([name, value]) => [
    name,
    shown(value, keys[name]?.kind),
    origins[name] ?? "default",
  ]);
  for (const [section, tables] of Object.entries({ orgs, sandbox })) {
    for (const [name, table] of Object.entries(tables)) {
      for (const [key, value] of Object.entries(table))
        rows.push([`${section}.${name}.${key}`, shown(value), file ?? ""]);
    }
  }
  const json = Object.fromEntries(rows.map(([name = "", value, origin]) => [name, { value, origin }]));
  const shortened = rows.map(([name = "", value = "", origin = ""]) => [
    name,
    value,
    origin === file ? "the file" : origin,
  ]);
  print({
    json: { config: json },
    text: () =>
      [
        ...(file ? [`the file: ${file}`] : []),
        terminal.table(["key", { name: "value", below: true }, { name: "from", drop: 1 }], shortened),
      ].join("\n"),
  });
}

function readSetting(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [, key, value] = /^([\w.-]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined)
    throw new InvalidArgumentError("It is a key and its value, as hubspot.tier=paid.");
  if (value.trim() === "")
    throw new InvalidArgumentError(`${key} has no value: leave it out, or say one, as hubspot.tier=paid.`);
  return { ...before, [key]: value };
}

function showPath({ app, terminal, print }: Session): void {
  const json = { config: app.config.file, configSearched: app.configFile, stateDir: app.stateDir };
  const configured = app.config.file ?? `${app.configFile} (not there)`;
  const rows = [
    ["config", configured],
    ["state", app.stateDir],
  ];
  print({ json, text: () => terminal.table(["", ""], rows).trimStart() });
}

async function checkConfig(output: Output): Promise<void> {
  const { terminal, print } = output;
  const { searched, file, problems, regions, missing } = await lookAtConfig(output);
  const warnings = [...regions, ...missing];
  const { red, yellow, green } = terminal.paint;
  print({
    json: { file, problems, warnings },
    text: () =>
      [
        file ?? `${searched} (not there)`,
        ...problems.map(({ message, hint }) => `${red("✗")} ${message}${hint === null ? "" : `\n  ${hint}`}`),
        ...warnings.map((words) => `${yellow("!")} ${words}`),
        ...(problems.length + warnings.length === 0 ? [green("Nothing is wrong with it.")] : []),
      ].join("\n"),
  });
  if (problems.length === 0) return;
  throw new AppError("CONFIG_INVALID", `${count(problems.length, "problem")} in the configuration`, {
    hint: "Mend what is listed, and look again.",
  });
}

/** As it is written in the file. */
function shown(value: unknown, kind?: string): string {
  if (typeof value === "number" && kind === "duration") return durationText(value);
  if (typeof value === "number" && kind === "time-of-day") return timeOfDayText(value);
  return value === "" ? "–" : String(value);
}

function durationText(ms: number): string {
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  return ms % 60_000 === 0 ? `${ms / 60_000}m` : `${ms / 1_000}s`;
}

function timeOfDayText(minutes: number): string {
  const [hour, minute] = [Math.floor(minutes / 60), minutes % 60];
  return `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
}
