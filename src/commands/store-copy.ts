import type { Command } from "commander";
import { copyCommand } from "../core/advice/command-lines.ts";
import { COPY_TARGET } from "../core/advice/database.ts";
import { afterCopy, metByCopy } from "../core/advice/copied-log.ts";
import type { Copied } from "../flows/copying/copy.ts";
import { AppError } from "../shared/errors.ts";
import { isPostgres, postgresPlace } from "../shared/store-url.ts";
import { count } from "../shared/text.ts";
import type { World } from "../shared/world.ts";
import type { CopySource } from "../store/contract/copying.ts";
import { type Session, withApp } from "./session/with-app.ts";

export function registerCopy(store: Command, world: World): void {
  store
    .command("copy")
    .description("carry the log's file into PostgreSQL, every row of it, compared")
    .option("--to <url>", "the database, without a password: postgres://owner@host:5432/database")
    .option("--dry-run", "say what would be copied, and change nothing")
    .addHelpText(
      "after",
      "\nserve must be stopped. The file stays as it is, and is only read from then on. What\nwas cut off goes on by typing it again. The password is libpq's: PGPASSFILE, ~/.pgpass.\n\nExample:\n  jc-integrations store copy --to postgres://jc_owner@db.example.com/jobcannon",
    )
    .action(({ to, dryRun }: { to?: string; dryRun?: boolean }, command: Command) => {
      if (to === undefined)
        throw new AppError("USAGE", "--to is missing: the database that the log is carried into", {
          hint: copyCommand("postgres://owner@host:5432/database"),
        });
      refuseNoPlace(to);
      return withApp(world, command, async (session) => {
        const source = await session.app.copySource();
        try {
          await (dryRun ? preview(session, source, to) : copy(session, source, to));
        } finally {
          source.close();
        }
      });
    });
}

/** Throws `USAGE`; what stands in it is not repeated. */
function refuseNoPlace(to: string): void {
  if (!isPostgres(to))
    throw new AppError("USAGE", "--to is no postgres URL", {
      hint: "Write postgres://user@host:5432/database.",
    });
  postgresPlace(to, COPY_TARGET);
}

async function preview({ app, print }: Session, source: CopySource, to: string): Promise<void> {
  const standing = await app.lookAtCopyTarget(to, source);
  const json = { from: source.place, to, isDryRun: true, standing };
  if (standing === "whole")
    return print({ json: { ...json, rows: 0, tables: [] }, text: () => alreadyThere(to) });
  const tables = Object.entries(source.counts()).map(([name, rows]) => ({ name, rows }));
  const { items: vaultItems } = await app.vaultCarrier(to);
  print({
    json: { ...json, rows: rowsOf(tables), tables, vaultItems },
    text: () =>
      [
        `${rowsWords(tables)} of ${source.place} would be copied to ${to}, each read back and compared${WORDS[standing].plan}.`,
        `${itemsWords(vaultItems)} would go along, sealed.`,
        "Nothing was changed.",
      ].join("\n"),
  });
}

async function copy(session: Session, source: CopySource, to: string): Promise<void> {
  const { app, globals, print, say, terminal, world } = session;
  const { copyLog } = await import("../flows/copying/copy.ts");
  const target = await app.copyTarget(to).catch((error: unknown) => {
    throw metByCopy(to, error, { isBegun: false });
  });
  const { carry: carryVault } = await app.vaultCarrier(to);
  const total = Object.values(source.counts()).reduce((sum, n) => sum + n, 0);
  const shown: { stage: string; bar: ReturnType<typeof terminal.progress> | null } = { stage: "", bar: null };
  const copied = await copyLog({
    source,
    target,
    to,
    carryVault,
    signal: world.signal,
    onProgress: (stage, done) => {
      if (globals.json) return;
      if (stage !== shown.stage) {
        shown.bar?.end();
        Object.assign(shown, { stage, bar: terminal.progress(stage.padEnd(9), total, done) });
      }
      shown.bar?.set(done);
    },
  }).finally(() => {
    shown.bar?.end();
    if (world.signal.aborted) say("What was copied stays: the same command goes on with it.");
  });
  print({
    json: {
      from: source.place,
      to,
      isDryRun: false,
      standing: copied.standing,
      rows: rowsOf(copied.tables),
      tables: copied.tables,
      ...(copied.vaultItems === null ? {} : { vaultItems: copied.vaultItems }),
    },
    text: () => [...reportOf(copied, { source, to }), ...afterCopy(to)].join("\n"),
  });
}

const WORDS = {
  new: { plan: "", done: "" },
  resumed: { plan: ", from where it was cut off", done: " It went on where it was cut off." },
  anew: {
    plan: ", anew: the log has changed since it was begun",
    done: " It was begun anew, since the log had changed.",
  },
};

const rowsOf = (tables: readonly { rows: number }[]) => tables.reduce((sum, { rows }) => sum + rows, 0);

const rowsWords = (tables: readonly { rows: number }[]) =>
  `${count(rowsOf(tables), "row")} in ${count(tables.length, "table")}`;

const itemsWords = (items: number) => `${count(items, "item")} of the vault, tokens and secrets,`;

const alreadyThere = (to: string) => `The log is in ${to} already. Nothing was changed.`;

function reportOf(
  { standing, tables, vaultItems }: Copied,
  { source, to }: { source: Pick<CopySource, "place">; to: string },
): string[] {
  if (standing === "whole") return [alreadyThere(to)];
  return [
    `${rowsWords(tables)} are in ${to}, each read back and compared.${WORDS[standing].done}`,
    `${itemsWords(vaultItems ?? 0)} went along, sealed.`,
    `${source.place} stays as it is, and nothing is written to it any more.`,
  ];
}
