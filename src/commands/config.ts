import type { Command } from "commander";
import { globalKeys } from "../shared/config-keys.ts";
import { withApp } from "./session/with-app.ts";
import type { World } from "../shared/world.ts";

export function registerConfig(program: Command, world: World): void {
  const config = program.command("config").description("what is configured, and where it comes from");

  config
    .command("show")
    .description("every value with its origin; secrets rest in the vault and are never shown")
    .action((_options: object, command: Command) =>
      withApp(world, command, async ({ app, terminal, print }) => {
        const { orgs, sandbox, origins, file, ...values } = app.config;
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
        print({ json: { config: json }, text: () => terminal.table(["key", "value", "from"], rows) });
      }),
    );

  config
    .command("path")
    .description("which file is read, and where the state rests")
    .action((_options: object, command: Command) =>
      withApp(world, command, async ({ app, terminal, print }) => {
        const json = { config: app.config.file, configSearched: app.configFile, stateDir: app.stateDir };
        const configured = app.config.file ?? `${app.configFile} (not there)`;
        const rows = [
          ["config", configured],
          ["state", app.stateDir],
        ];
        print({ json, text: () => terminal.table(["", ""], rows).trimStart() });
      }),
    );
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
