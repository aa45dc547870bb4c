import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { goneBy } from "../../core/backup.ts";
import type { Config } from "../../shared/config.ts";
import type { Person } from "../../store/contract/store.ts";
import { backupDirOf } from "../watch/last-backup.ts";
import { exportsHolding } from "./exports.ts";
import { backupsIn } from "./list.ts";

/** A copy of the log that a person may still be in. */
export interface HoldingCopy {
  file: string;
  /** When the daily backups remove it, ms; null for what nobody removes. */
  goneBy: number | null;
  /** It could not be looked into. */
  isUnknown: boolean;
  /** Made by `export`, of this person or of one whom they are named with. */
  isExport: boolean;
}

export interface HoldingContext {
  config: Config;
  stateDir: string;
  /** Where `export` puts its files unless told otherwise. */
  cwd: string;
  clock: { now(): number };
  heldInCopy(
    file: string,
    org: string,
    person: Pick<Person, "addresses" | "invitationIds">,
  ): Promise<"holds" | "does not" | "unknown">;
}

/**
 * Backups, what an upgrade or a restore left beside the log, and what `export` wrote. Those that were put elsewhere nobody here
 * knows.
 */
export async function copiesHolding(
  { config, stateDir, cwd, clock, heldInCopy }: HoldingContext,
  org: string,
  person: Pick<Person, "addresses" | "invitationIds">,
): Promise<HoldingCopy[]> {
  const all = backupsIn(backupDirOf(config, stateDir));
  const rule = { daily: config["backup.keep_daily"], weekly: config["backup.keep_weekly"], now: clock.now() };
  const known = [
    ...all.map((backup) => ({
      file: backup.file,
      // One that tells nothing of itself is removed by nobody.
      goneBy: backup.facts === null ? null : goneBy(backup, all, rule),
    })),
    ...copiesBeside(stateDir).map((file) => ({ file, goneBy: null })),
  ];
  const held = await Promise.all(known.map(({ file }) => heldInCopy(file, org, person)));
  const copies = known.flatMap((copy, index) =>
    held[index] === "does not" ? [] : [{ ...copy, isUnknown: held[index] === "unknown", isExport: false }],
  );
  const exports = exportsHolding([stateDir, cwd], person).map((each) => ({
    ...each,
    goneBy: null,
    isExport: true,
  }));
  return [...copies, ...exports];
}

/** `log.db.v12-….backup`, `log.db.before-restore-…/log.db`, and what was set aside. */
function copiesBeside(stateDir: string): string[] {
  return readdirSync(stateDir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(stateDir, entry.name);
    if (/^log\.db.*\.aside$/.test(entry.name)) return [path];
    if (entry.isFile()) return /^log\.db\..*\.backup$/.test(entry.name) ? [path] : [];
    if (!entry.isDirectory() || !entry.name.startsWith("log.db.before-restore-")) return [];
    const log = join(path, "log.db");
    return statSync(log, { throwIfNoEntry: false }) ? [log] : [];
  });
}
