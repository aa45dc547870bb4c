import { join } from "node:path";
import type { Command } from "commander";
import { isPostgres } from "../shared/store-url.ts";
import type { World } from "../shared/world.ts";
import { connectCommand } from "../core/advice/command-lines.ts";
import { registerCopy } from "./store-copy.ts";
import { registerGrants } from "./store-grants.ts";
import { isoTime } from "../shared/clock.ts";
import { copiedMark } from "../shared/copied-log.ts";
import { agreed } from "./session/agreement.ts";
import { withApp } from "./session/with-app.ts";

export function registerStore(program: Command, world: World): void {
  const store = program
    .command("store")
    .description("the log itself, which holds all results: a file, or tables in PostgreSQL")
    .addHelpText("after", "\nExample:\n  jc-integrations store new-log");
  store
    .command("new-log")
    .description("begin a new log where the old one is gone, or accept the one that stands there")
    .addHelpText(
      "after",
      "\nIt asks for a yes first: what an older log holds, or a database that it was copied\nto, is not in this one.\n\nExample:\n  jc-integrations store new-log",
    )
    .action((_options: object, command: Command) =>
      withApp(world, command, async (session) => {
        const { app, print } = session;
        // One in a database is refused, whatever anybody says.
        if (!isPostgres(app.config["store.url"])) await agreed(session, lossBy(app.stateDir));
        const { endServeFault, serveFaults } = await import("../flows/watch/serve-faults.ts");
        const loss = serveFaults(app.stateDir).find(({ kind }) => kind === "lost");
        const accepted = await app.acceptLog({ isMissed: loss !== undefined });
        if (loss) endServeFault(app.stateDir, loss);
        const next = connectCommand({ org: app.org, vendor: "hubspot", environment: "production" });
        print({
          json: { log: accepted, stateDir: app.stateDir },
          text: () => `${WORDS[accepted](app.stateDir)}${accepted === "created" ? `\n→ ${next}` : ""}`,
        });
      }),
    );
  store
    .command("migrate")
    .description("make the tables of log and vault, or bring them to this program's version; as their owner")
    .addHelpText(
      "after",
      "\nEvery command that writes does the same by itself where its user may.\n\nExample:\n  JC_STORE_URL=postgres://owner@db/log jc-integrations store migrate",
    )
    .action((_options: object, command: Command) =>
      withApp(world, command, async ({ app, print }) => {
        await app.migrate();
        const url = app.config["store.url"];
        const log = isPostgres(url) ? url : join(app.stateDir, "log.db");
        print({ json: { log }, text: () => `The tables in ${log} are those of this version.` });
      }),
    );
  registerCopy(store, world);
  registerGrants(store, world);
}

/** What the word of an operator costs. */
function lossBy(stateDir: string): string {
  const mark = copiedMark(stateDir);
  const log = join(stateDir, "log.db");
  return mark
    ? `${log} is the log again from now on, without what came to ${mark.to} since ${isoTime(mark.at)}; what waits in both goes out from both`
    : `What stands at ${log} is the log from now on, or an empty one where nothing does: what only an older log holds is not in it`;
}

const WORDS = {
  created: (stateDir: string) =>
    `A new log begins in ${stateDir}. A running serve takes it up within seconds; what the old one held is not in it.`,
  accepted: (stateDir: string) =>
    `The log in ${stateDir} is accepted. A running serve takes it up within seconds.`,
  unchanged: (stateDir: string) => `The log in ${stateDir} is the one in use. Nothing was changed.`,
};
