import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { bytesInSum, SUM } from "../../../core/backup.ts";
import { isRunning, type ProcessIdentity } from "../../../shared/process-identity.ts";

/** While a backup is written and checked it has this behind its name. */
export const PARTIAL = ".partial";
/** As `backup.dir` is unless set otherwise. */
const DAILY = "backups";

/** Where a copy of the log goes before it is migrated: `log.db.v4-2026-11-28T13-21-52-000Z-4711.backup`. */
export function backupBeforeMigration(
  path: string,
  by: { version: number; now: number; pid: number },
): string {
  const time = new Date(by.now).toISOString().replaceAll(/[:.]/g, "-");
  return `${path}.v${by.version}-${time}-${by.pid}.backup`;
}

/** Of those beside the log, and in the usual place of daily ones, that are as long as they were; null where there is none. */
export function newestBackup(path: string): string | null {
  const timeIn = (name: string) =>
    /\d{4}-?\d\d-?\d\dT[\d-]+Z/.exec(name)?.[0].replaceAll(/\D/g, "").slice(0, 14) ?? "";
  const daily = namesIn(join(dirname(path), DAILY)).map((name) => join(DAILY, name));
  const newest = [...namesBeside(path), ...daily]
    .filter((name) => name.endsWith(".backup"))
    .toSorted((a, b) => timeIn(b).localeCompare(timeIn(a)))
    .map((name) => join(dirname(path), name))
    .find((file) => !isOtherThanSaid(file));
  return newest ?? null;
}

/** Cut short, or written on, since it was looked through: to read all of it would take too long here. */
function isOtherThanSaid(file: string): boolean {
  try {
    const said = bytesInSum(readFileSync(file + SUM, "utf8"));
    return said !== null && said !== statSync(file).size;
  } catch {
    // Those that were made before a migration have no sum.
    return false;
  }
}

/** The newest that was made before a migration and that a program of this version can open; null where there is none. */
export function backupOfVersion(path: string, known: number): string | null {
  const [newest] = namesBeside(path)
    .flatMap((name) => {
      const [, version] = /\.v(\d+)-[\dT-]+Z-\d+\.backup$/.exec(name) ?? [];
      return version !== undefined && Number(version) <= known ? [{ name, version: Number(version) }] : [];
    })
    .toSorted((a, b) => b.version - a.version || b.name.localeCompare(a.name));
  return newest ? join(dirname(path), newest.name) : null;
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
  return namesIn(dirname(path)).filter((name) => name.startsWith(`${basename(path)}.`));
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
