import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import Database from "better-sqlite3";
import type { LogLook } from "../contract/log-look.ts";
import { type Damage, findDamage } from "./file/damage.ts";
import { restoreCommands, storeErrors, storeErrorsLater } from "./file/store-errors.ts";
import { heldUpWal } from "./file/wal.ts";

/**
 * Looks through the log for as long as told, beside whoever works on it. Null where there is none. Throws
 * `CONFIG_INVALID` where SQLite itself cannot be loaded, also without a log.
 */
export async function lookAtLog(
  stateDir: string,
  { longestMs }: { longestMs: number },
): Promise<LogLook | null> {
  const path = join(stateDir, "log.db");
  storeErrors(path, () => new Database(":memory:").close());
  if (!existsSync(path)) return null;
  const { damage, isLookedThrough } = await storeErrorsLater(path, () => firstDamage(path, longestMs));
  const held = heldUpWal(stateDir);
  return {
    bytes: statSync(path).size,
    walBytes: statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0,
    heldUp: held && { message: held.message, hint: held.hint },
    damage: damage && {
      message: `${path} is damaged: ${damage.table}: ${damage.found}`,
      hint: restoreCommands(path),
    },
    isLookedThrough,
  };
}

async function firstDamage(
  path: string,
  longestMs: number,
): Promise<{ damage: Damage | null; isLookedThrough: boolean }> {
  const startedAt = performance.now();
  for (const found of findDamage(path)) {
    if (found) return { damage: found, isLookedThrough: true };
    if (performance.now() - startedAt > longestMs) return { damage: null, isLookedThrough: false };
    await setImmediate();
  }
  return { damage: null, isLookedThrough: true };
}
