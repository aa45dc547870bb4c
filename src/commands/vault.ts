import { resolve } from "node:path";
import type { Command } from "commander";
import { count } from "../shared/text.ts";
import { isPostgres } from "../shared/store-url.ts";
import { withApp } from "./session/with-app.ts";
import type { World } from "../shared/world.ts";

export function registerVault(program: Command, world: World): void {
  const vault = program
    .command("vault")
    .description("where tokens and secrets rest")
    .addHelpText("after", "\nExample:\n  jc-integrations vault status");

  vault
    .command("status")
    .description("backend, and whether it can be read now (exit 5 when not)")
    .addHelpText("after", "\nExample:\n  jc-integrations vault status")
    .action((_options: object, command: Command) =>
      withApp(world, command, async ({ app, print }) => {
        const opened = await app.vault();
        const names = await opened.names("");
        await opened.read(names);
        const set = app.environmentSecrets;
        const ofEnvironment = set.flatMap((each) => each.items);
        const items = names.filter((name) => !ofEnvironment.includes(name)).length;
        print({
          json: {
            backend: opened.backend,
            items,
            readable: true,
            ...(set.length > 0
              ? {
                  fromEnvironment: set.map(({ name, environment, variable }) => ({
                    name,
                    environment,
                    variable,
                  })),
                }
              : {}),
          },
          text: () =>
            [
              `${opened.describe()}: ${items === 0 ? "nothing is kept there yet" : `readable, ${count(items, "item")}`}`,
              ...set.map(({ name, variable }) => `${name} is taken from the environment (${variable})`),
            ].join("\n"),
        });
      }),
    );

  vault
    .command("rekey")
    .description("seal everything anew with a new key; a kill in between harms nothing")
    .option("--key-file <file>", "the new key, made when missing; without it the key in place is replaced")
    .addHelpText("after", "\nExample:\n  jc-integrations vault rekey --key-file /etc/jc-integrations/new.key")
    .action((options: { keyFile?: string }, command: Command) =>
      withApp(world, command, async ({ app, print }) => {
        const newKeyFile = options.keyFile === undefined ? null : resolve(world.cwd, options.keyFile);
        const { items, keyFile } = await app.rekeyVault(newKeyFile);
        print({
          json: { items, keyFile },
          text: () =>
            [
              `${count(items, "item")} ${items === 1 ? "is" : "are"} sealed with the key in ${keyFile}.`,
              ...(newKeyFile === null ? [] : [`Now set vault.key_file = "${keyFile}", and restart serve.`]),
              ...(isPostgres(app.config["store.url"])
                ? ["Every machine needs that key: copy it there."]
                : []),
            ].join("\n"),
        });
      }),
    );
}
