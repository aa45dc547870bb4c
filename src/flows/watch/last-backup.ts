import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { bytesInSum, newestOf, SUM, timeInName } from "../../core/backup.ts";
import type { Config } from "../../shared/config.ts";

/** When the log was last backed up, read off the files themselves: a backup that somebody removed is none. */
export interface LastBackup {
  directory: string;
  /** The newest good one; null where there is none, or none that can be seen. */
  newest: { file: string; at: number } | null;
  /** Since when there could have been one: its time, else the log's own; ms since the epoch. Null where there is no log. */
  since: number | null;
}

/** A relative path is meant from the state directory: what is in it is state. */
export function backupDirOf(config: Pick<Config, "backup.dir">, stateDir: string): string {
  return resolve(stateDir, config["backup.dir"]);
}

/** Asks the file system without holding up anybody, wherever the directory is. */
export async function lastBackup(
  { config, stateDir }: { config: Pick<Config, "backup.dir">; stateDir: string },
  now: number,
): Promise<LastBackup> {
  const directory = backupDirOf(config, stateDir);
  const names = new Set(await readdir(directory).catch(() => []));
  const looked = [...names].flatMap((name) => {
    const at = timeInName(name);
    return at !== null && names.has(name + SUM) ? [{ file: join(directory, name), at }] : [];
  });
  const newest = await newestGood(looked, now);
  const log = await stat(join(stateDir, "log.db")).catch(() => null);
  return { directory, newest, since: newest?.at ?? log?.birthtimeMs ?? null };
}

/** One that was cut short or written on since it was looked through is none. */
async function newestGood(
  looked: readonly { file: string; at: number }[],
  now: number,
): Promise<LastBackup["newest"]> {
  const newest = newestOf(looked, now);
  if (newest === null) return null;
  const { file } = newest;
  const [said, is] = await Promise.all([
    readFile(file + SUM, "utf8").then(bytesInSum, () => null),
    stat(file).then(
      ({ size }) => size,
      () => null,
    ),
  ]);
  if (said !== null && said === is) return newest;
  return await newestGood(
    looked.filter((each) => each !== newest),
    now,
  );
}
