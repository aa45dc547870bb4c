import { resolve } from "node:path";
import type { Command } from "commander";
import { emailKey } from "../core/event.ts";
import type { World } from "../shared/world.ts";
import { ADDRESS_NOTE, addressFrom, refuseNoAddress } from "./session/email.ts";
import { logToRead } from "./session/log-to-read.ts";
import { rowsWords } from "./session/person-rows.ts";
import { withApp } from "./session/with-app.ts";

export function registerExport(program: Command, world: World): void {
  program
    .command("export <email>")
    .description("all that is held of a person and was sent about them, as JSON and as a page to read")
    .option("--dir <directory>", "where the two files go", ".")
    .addHelpText("after", HELP)
    .action((email: string, options: { dir: string }, command: Command) =>
      withApp(world, command, async (session) => {
        const { app, print } = session;
        const address = emailKey(await addressFrom(session, email));
        const store = await logToRead(session);
        const { gather, writeFiles } = await import("../flows/erasure/export.ts");
        const found = store && (await gather({ store, clock: app.clock }, app.org, address));
        if (!found) {
          refuseNoAddress(address);
          return print({
            json: { org: app.org, rows: {}, files: null },
            text: () => `${app.org} holds nothing of this person. No file was written.`,
          });
        }
        const files = writeFiles(found.file, resolve(world.cwd, options.dir));
        print({
          json: { org: app.org, rows: found.rows, files },
          text: () =>
            [
              `${app.org} holds of this person: ${rowsWords(found.rows)}.`,
              files.html,
              files.json,
              "Both are for your eyes and theirs: remove them once they were handed over.",
            ].join("\n"),
        });
      }),
    );
}

const HELP = `
${ADDRESS_NOTE}
Addresses that are one contact in HubSpot come together. The files are private
(0600), their names tell no address, and nothing is written over.

Example:
  jc-integrations export - --org acme --dir /root/requests < address.txt`;
