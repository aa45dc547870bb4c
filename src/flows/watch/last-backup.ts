import { readdir, readFile, stat, type Stats } from "node:fs";
import { join, resolve } from "node:path";
import { bytesInSum, newestOf, SUM, timeInName } from "../../core/backup.ts";
import type { Config } from "../../shared/config.ts";
import { isPostgres } from "../../shared/store-url.ts";

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
  { config, stateDir }: { config: Pick<Config, "backup.dir" | "store.url">; stateDir: string },
  now: number,
): Promise<LastBackup> {
  const directory = backupDirOf(config, stateDir);
  // What a file that was the log once left behind is none of the database's.
  if (isPostgres(config["store.url"])) return { directory, newest: null, since: null };
  const names = new Set(await asked<string[]>((done) => readdir(directory, done)));
  const looked = [...names].flatMap((name) => {
    const at = timeInName(name);
    return at !== null && names.has(name + SUM) ? [{ file: join(directory, name), at }] : [];
  });
  const newest = await newestGood(looked, now);
  const log = await asked<Stats>((done) => stat(join(stateDir, "log.db"), done));
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
  const [sum, is] = await Promise.all([
    asked<string>((done) => readFile(file + SUM, "utf8", done)),
    asked<Stats>((done) => stat(file, done)),
  ]);
  if (sum !== null && bytesInSum(sum) === is?.size) return newest;
  return await newestGood(
    looked.filter((each) => each !== newest),
    now,
  );
}

/** Null where there is nothing, or nothing that can be seen. Not by node:fs/promises, which loads streams and terminals. */
function asked<T>(ask: (done: (error: Error | null, found: T) => void) => void): Promise<T | null> {
  return new Promise((resolve) => ask((error, found) => resolve(error ? null : found)));
}
