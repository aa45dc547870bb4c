import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isRunning, type ProcessIdentity } from "../../../shared/process-identity.ts";

/** While a backup is written and checked it has this behind its name. */
export const PARTIAL = ".partial";

/** Where a copy of the log goes before it is migrated: `log.db.v4-2026-11-28T13-21-52-000Z-4711.backup`. */
export function backupBeforeMigration(
  path: string,
  by: { version: number; now: number; pid: number },
): string {
  const time = new Date(by.now).toISOString().replaceAll(/[:.]/g, "-");
  return `${path}.v${by.version}-${time}-${by.pid}.backup`;
}

/** Of those beside the log; null where there is none. */
export function newestBackup(path: string): string | null {
  const timeIn = (name: string) => /\d{4}-\d\d-\d\dT[\d-]+Z/.exec(name)?.[0] ?? "";
  const [newest] = namesBeside(path)
    .filter((name) => name.endsWith(".backup"))
    .toSorted((a, b) => timeIn(b).localeCompare(timeIn(a)));
  return newest ? join(dirname(path), newest) : null;
}

/** Backups that were begun by processes that are gone. */
export function leftovers(path: string, self: ProcessIdentity): string[] {
  return namesBeside(path)
    .filter((name) => name.endsWith(PARTIAL) || name.endsWith(`${PARTIAL}-journal`))
    .filter((name) => {
      const pid = Number(/-(\d+)\.backup/.exec(name)?.[1]);
      return pid === self.pid || !isRunning({ pid, startedAt: "", bootId: self.bootId });
    })
    .map((name) => join(dirname(path), name));
}

function namesBeside(path: string): string[] {
  try {
    return readdirSync(dirname(path)).filter((name) => name.startsWith(`${basename(path)}.`));
  } catch {
    return [];
  }
}
