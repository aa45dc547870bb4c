import { join, resolve } from "node:path";
import type { Command } from "commander";
import { BACKUP_COMMAND, restoreCommand } from "../core/advice/command-lines.ts";
import { copiedNotBackedUp } from "../core/advice/copied-log.ts";
import { notInPostgres } from "../core/advice/database.ts";
import { copiedMark } from "../shared/copied-log.ts";
import { AppError } from "../shared/errors.ts";
import { nearest } from "../shared/nearest.ts";
import { isPostgres } from "../shared/store-url.ts";
import { count, plain, shortBytes, shortTime } from "../shared/text.ts";
import { type Session, withApp } from "./session/with-app.ts";
import type { World } from "../shared/world.ts";

export function registerBackup(program: Command, world: World): void {
  const backup = program
    .command("backup")
    .description("write a checked copy of the log while all goes on; list and verify those that are there")
    .argument("[to]", "the file to write; without it one in backup.dir, where old ones make way")
    .addHelpText(
      "after",
      "\nA backup holds candidates' data, and no token and no secret.\n\nExamples:\n  jc-integrations backup\n  jc-integrations backup /mnt/usb/jc.backup\n  jc-integrations backup verify",
    )
    .action((to: string | undefined, _options: object, command: Command) => {
      refuseMistypedCommand(to, command);
      return withApp(world, command, (session) => takeBackup(session, to));
    });
  backup
    .command("list")
    .description("the backups in backup.dir, the newest first")
    .addHelpText("after", "\nExample:\n  jc-integrations backup list --json")
    .action((_options: object, command: Command) => withApp(world, command, listBackups));
  backup
    .command("verify")
    .description("read all of a backup, and compare it with the sum beside it (exit 2 when it is not whole)")
    .argument("[backup]", "which one; without it the newest in backup.dir")
    .addHelpText("after", "\nExample:\n  jc-integrations backup verify")
    .action((which: string | undefined, _options: object, command: Command) =>
      withApp(world, command, (session) => verify(session, which)),
    );
}

/** A file's name that is nearly a subcommand's would become a backup where a list was wanted. Throws `USAGE`. */
function refuseMistypedCommand(to: string | undefined, { commands }: Command): void {
  if (to === "") throw new AppError("USAGE", "the backup's file has no name", { hint: BACKUP_COMMAND });
  if (to === undefined || /[./\\]/.test(to)) return;
  const guess = nearest(
    to,
    commands.map((each) => each.name()),
  );
  if (guess === null) return;
  throw new AppError("USAGE", `there is no command backup ${plain(to)}`, {
    hint: `Did you mean backup ${guess}? As a file's name: ./${plain(to)}`,
  });
}

async function takeBackup({ app, world, print }: Session, to: string | undefined): Promise<void> {
  if (isPostgres(app.config["store.url"])) throw notInPostgres("a copy of the log");
  const mark = copiedMark(app.stateDir);
  if (mark) throw copiedNotBackedUp(join(app.stateDir, "log.db"), mark);
  const store = await app.storeToRead();
  if (!store) throw new AppError("USAGE", `no log is in ${app.stateDir}`, { hint: "Check --state-dir." });
  const { backUpNow, backUpNowAs } = await import("../flows/backup/now.ts");
  const context = { ...app, store, signal: world.signal };
  const { taken, removed } =
    to === undefined
      ? await backUpNow(context)
      : { taken: await backUpNowAs(context, resolve(world.cwd, to)), removed: [] };
  const { file, bytes, sha256, counts, takenAt } = taken;
  print({
    json: { file, takenAt: new Date(takenAt).toISOString(), bytes, sha256, counts, removed },
    text: () =>
      [
        `${file}: ${countsText(taken)}, read through and on disk.`,
        ...(removed.length > 0 ? [`${count(removed.length, "older one")} made way.`] : []),
        `Back to it: ${restoreCommand(file)}`,
        ...(to === undefined ? [] : ["status and doctor tell the age of those in backup.dir only."]),
      ].join("\n"),
  });
}

/** Where the log is in PostgreSQL only what was made before is told of. */
async function listBackups({ app, terminal, print, say }: Session): Promise<void> {
  const [{ backupsIn, isAsLong }, { backupDirOf }] = await Promise.all([
    import("../flows/backup/list.ts"),
    import("../flows/watch/last-backup.ts"),
  ]);
  const directory = backupDirOf(app.config, app.stateDir);
  const backups = backupsIn(directory);
  const elsewhere = isPostgres(app.config["store.url"]) ? notInPostgres("a list of its backups") : null;
  if (elsewhere && backups.length === 0) throw elsewhere;
  print({
    json: {
      directory,
      backups: backups.map(({ file, at, bytes, facts }) => ({
        file,
        takenAt: new Date(at).toISOString(),
        bytes,
        isChecked: facts !== null,
        isAsLong: isAsLong({ bytes, facts }),
        ...(facts ? { sha256: facts.sha256, counts: facts.counts } : {}),
      })),
    },
    text: () =>
      backups.length === 0
        ? `No backup is in ${directory}.`
        : terminal.table(
            [
              { name: "taken", whole: true },
              { name: "events", drop: 2 },
              { name: "invites", drop: 1 },
              { name: "size", drop: 3 },
              { name: "file", below: true },
            ],
            backups.map(({ file, at, bytes, facts }) => [
              shortTime(at),
              facts ? String(facts.counts.events) : "–",
              facts ? String(facts.counts.invites) : "–",
              shortBytes(bytes),
              `${file}${remarkOn({ bytes, facts }, isAsLong)}`,
            ]),
          ),
  });
  if (elsewhere)
    say(`Note: these are of a log that was a file; ${elsewhere.message}.\n  ${elsewhere.hint ?? ""}`);
}

function remarkOn<Backup extends { facts: object | null }>(
  backup: Backup,
  isAsLong: (backup: Backup) => boolean,
): string {
  if (backup.facts === null) return " (never looked through: no sum beside it)";
  return isAsLong(backup) ? "" : " (damaged: it is not as long as it was)";
}

async function verify({ app, world, print }: Session, which: string | undefined): Promise<void> {
  const [{ backupsIn, verifyBackup }, { backupDirOf }, { orAborted }] = await Promise.all([
    import("../flows/backup/list.ts"),
    import("../flows/watch/last-backup.ts"),
    import("../flows/backup/take.ts"),
  ]);
  if (which === undefined && isPostgres(app.config["store.url"])) throw notInPostgres("its newest backup");
  const file =
    which === undefined
      ? newestIn(backupsIn, backupDirOf(app.config, app.stateDir))
      : resolve(world.cwd, which);
  const checked = await orAborted(verifyBackup(await app.backupFiles(), file), world.signal);
  const { bytes, sha256, counts, isCompared } = checked;
  print({
    json: { file, bytes, sha256, counts, isWhole: true, isCompared },
    text: () =>
      `${file} is whole: ${countsText(checked)}. ${isCompared ? "Its SHA-256 is the one beside it." : "No SHA-256 is beside it to compare."}`,
  });
}

function newestIn(backupsIn: (directory: string) => readonly { file: string }[], directory: string): string {
  const [newest] = backupsIn(directory);
  if (newest) return newest.file;
  throw new AppError("USAGE", `no backup is in ${directory}`, { hint: "Name one, or set backup.dir." });
}

function countsText({
  bytes,
  counts,
}: {
  bytes: number;
  counts: { events: number; invites: number };
}): string {
  return `${shortBytes(bytes)}, ${count(counts.events, "event")}, ${count(counts.invites, "invite")}`;
}
