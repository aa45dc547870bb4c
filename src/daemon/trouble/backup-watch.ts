import { backupTrouble } from "../../core/advice/backup-overdue.ts";
import { lastBackup } from "../../flows/watch/last-backup.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Config } from "../../shared/config.ts";
import type { Log } from "../../shared/log.ts";

/** Whether the log was backed up in time. Told to the journal once, and to the chats as an incident. */
export interface BackupWatch {
  /** Why it was not, in words; null while all is well. */
  trouble(): string | null;
  /** To be called again and again; looks once a minute, where all was well every five, and keeps nobody waiting for a file system that hangs. */
  look(): void;
}

/** Overdue is what is a day old. That a person mended it is to be seen soon. */
const LOOK_EVERY_MS = { well: 5 * 60_000, overdue: 60_000 } as const;

export function createBackupWatch(context: {
  config: Config;
  stateDir: string;
  clock: Pick<Clock, "now">;
  log: Log;
}): BackupWatch {
  const { clock, log } = context;
  let found: string | null = null;
  let lookedAt = Number.NEGATIVE_INFINITY;
  const lookNow = async (now: number) => {
    const before = found;
    found = backupTrouble(await lastBackup(context, now), now);
    if (found !== null && before === null) log.warn(found);
  };
  return {
    trouble: () => found,
    look: () => {
      const now = clock.now();
      if (Math.abs(now - lookedAt) < LOOK_EVERY_MS[found === null ? "well" : "overdue"]) return;
      lookedAt = now;
      void lookNow(now);
    },
  };
}
