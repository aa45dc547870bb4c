import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import * as v from "valibot";
import { outdated, SUM, timeInName } from "../../core/backup.ts";
import { restoreCommand, BACKUPS_COMMAND } from "../../core/advice/command-lines.ts";
import { AppError } from "../../shared/errors.ts";
import type { BackupFiles, CheckedLog } from "../../store/contract/store.ts";
import { inDirectory } from "./take.ts";

/** The backups of a directory, as their names and the files beside them tell. */
export interface KnownBackup {
  file: string;
  /** When it was taken, ms since the epoch. */
  at: number;
  bytes: number;
  /** Null where the file beside it is missing or says something else. */
  facts: SumFacts | null;
}

const Facts = v.object({
  takenAt: v.string(),
  log: v.nullable(v.string()),
  version: v.number(),
  bytes: v.number(),
  counts: v.object({
    events: v.number(),
    invites: v.number(),
    connections: v.number(),
    pushes: v.number(),
    attempts: v.number(),
  }),
});
export type SumFacts = v.InferOutput<typeof Facts> & { sha256: string };

/** Newest first; none where there is no such directory. Throws `CONFIG_INVALID` where it cannot be read. */
export function backupsIn(directory: string): KnownBackup[] {
  const names = inDirectory(directory, () => namesIn(directory));
  return names
    .flatMap((name) => {
      const [at, info] = [
        timeInName(name),
        inDirectory(directory, () => statSync(join(directory, name), { throwIfNoEntry: false })),
      ];
      if (at === null || !info?.isFile()) return [];
      const file = join(directory, name);
      return [{ file, at, bytes: info.size, facts: factsBeside(file) }];
    })
    .toSorted((a, b) => b.at - a.at || b.file.localeCompare(a.file));
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

/** Null where nothing is there that we wrote. */
export function factsBeside(file: string): SumFacts | null {
  try {
    const text = readFileSync(file + SUM, "utf8");
    const [, facts = "", sha256 = ""] = /^# (\{.*\})\n([0-9a-f]{64}) {2}(?:.*)\n$/.exec(text) ?? [];
    return { ...v.parse(Facts, JSON.parse(facts)), sha256 };
  } catch {
    return null;
  }
}

/** Reads all of it, and compares it with what is said beside it. Throws `STORE_UNAVAILABLE` where it is not as it was. */
export async function verifyBackup(
  files: Pick<BackupFiles, "check">,
  file: string,
): Promise<CheckedLog & { isCompared: boolean }> {
  const checked = await files.check(file);
  const said = factsBeside(file);
  if (said && said.sha256 !== checked.sha256)
    throw new AppError(
      "STORE_UNAVAILABLE",
      `${file} is not what it was: its SHA-256 is another than ${basename(file)}${SUM} says`,
      { hint: `It was changed or damaged since. ${beforeIt(file)}` },
    );
  return { ...checked, isCompared: said !== null };
}

/** Is it still as long as it was when it was looked through? */
export function isAsLong({ bytes, facts }: Pick<KnownBackup, "bytes" | "facts">): boolean {
  return facts === null || facts.bytes === bytes;
}

function beforeIt(file: string): string {
  const all = backupsIn(dirname(file));
  const found = all
    .slice(all.findIndex((each) => each.file === file) + 1)
    .find((each) => each.facts && isAsLong(each));
  return found ? `The one before it: ${restoreCommand(found.file)}` : `See the others: ${BACKUPS_COMMAND}`;
}

/** Removes those of this log that have had their time. Returns which. */
export function rotate(
  directory: string,
  { log, ...rule }: { log: string | null; daily: number; weekly: number; now: number },
): string[] {
  // Another installation's in the same directory are none of ours, nor is what tells nothing of itself.
  const ours = backupsIn(directory).filter(({ facts }) => facts !== null && facts.log === log);
  return outdated(ours, rule).map(({ file }) => {
    inDirectory(directory, () => rmSync(file, { force: true }));
    inDirectory(directory, () => rmSync(file + SUM, { force: true }));
    return file;
  });
}
