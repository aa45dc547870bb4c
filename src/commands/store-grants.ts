import { type Command, InvalidArgumentError } from "commander";
import { GRANTS_COMMAND, MIGRATE_COMMAND } from "../core/advice/command-lines.ts";
import { grantsFor } from "../core/advice/grants.ts";
import { AppError } from "../shared/errors.ts";
import { printable } from "../shared/text.ts";
import type { World } from "../shared/world.ts";
import { withoutApp } from "./session/with-app.ts";

export function registerGrants(store: Command, world: World): void {
  store
    .command("grants")
    .description("print the SQL by which a role may run serve on PostgreSQL, and do no more")
    .option("--role <name>", "whom store.url names", roleName)
    .addHelpText(
      "after",
      "\nThe tables belong to their owner, another role, which makes them by store migrate.\n\nExample:\n  jc-integrations store grants --role jc_serve | psql <database>",
    )
    .action(({ role }: { role?: string }, command: Command) =>
      withoutApp(world, command, async ({ globals, print, world: { io, redact } }) => {
        if (role === undefined)
          throw new AppError("USAGE", "--role is missing: the role that gets the rights", {
            hint: GRANTS_COMMAND,
          });
        const statements = grantsFor(role);
        if (globals.json) return print({ json: { role, statements }, text: () => "" });
        // For psql: a line that is broken would be none of SQL.
        io.out(`${redact(printable([...HEAD, "BEGIN;", ...statements, "COMMIT;"].join("\n")))}\n`);
      }),
    );
}

const HEAD = [
  "-- To be run in the log's database by the owner of its tables, once they are there.",
  "-- They are made, and changed after an upgrade, by this command with the owner's name in store.url:",
  `--   ${MIGRATE_COMMAND}`,
  "-- Before the first time a superuser runs: GRANT CREATE ON DATABASE <database> TO <owner>;",
];

function roleName(text: string): string {
  if (text !== "" && Buffer.byteLength(text) <= 63) return text;
  throw new InvalidArgumentError("It is a role's name in PostgreSQL, of 63 bytes at most.");
}
