import type { Clock } from "../../shared/clock.ts";
import type { Config } from "../../shared/config.ts";
import { backupDirOf } from "../watch/last-backup.ts";
import { rotate } from "./list.ts";
import { type TakeContext, takeInto, type TakenBackup } from "./take.ts";

export interface KeepContext extends TakeContext {
  config: Config;
  stateDir: string;
  clock: Pick<Clock, "now">;
}

/** One more into the directory for backups; those that have had their time go, and only once the new one is there. */
export async function takeAndRotate(
  context: KeepContext,
): Promise<{ taken: TakenBackup; removed: readonly string[] }> {
  const { config, stateDir, clock } = context;
  const directory = backupDirOf(config, stateDir);
  const taken = await takeInto(context, directory);
  const removed = rotate(directory, {
    log: taken.logId,
    daily: config["backup.keep_daily"],
    weekly: config["backup.keep_weekly"],
    now: clock.now(),
  });
  return { taken, removed };
}
