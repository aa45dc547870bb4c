import type { Command } from "commander";
import { withApp } from "./with-app.ts";
import type { World } from "./world.ts";

export function registerConfig(program: Command, world: World): void {
  const config = program.command("config").description("what is configured, and where it comes from");

  config
    .command("show")
    .description("every value with its origin; secrets rest in the vault and are never shown")
    .action((_options: object, command: Command) =>
      withApp(world, command, async ({ app, terminal, print }) => {
        const { orgs, sandbox, origins, file, ...values } = app.config;
        const rows = Object.entries(values).map(([name, value]) => [
          name,
          shown(value),
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

function shown(value: unknown): string {
  return value === "" ? "–" : String(value);
}
