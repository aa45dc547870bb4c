import { closeSync, constants, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { NO_FOLLOW } from "../../shared/private-files.ts";

/** Where a running `serve` tells of its faults. It is there, and blank, while there are none: a full disk has room for it. */
export function faultsFile(stateDir: string): string {
  return join(stateDir, "serve-faults.json");
}

/** Without reading all of it: whoever looks is nearly always told that nothing is wrong. */
export function hasFaults(stateDir: string): boolean {
  try {
    const file = openSync(faultsFile(stateDir), constants.O_RDONLY | NO_FOLLOW);
    try {
      const first = Buffer.alloc(1);
      return readSync(file, first) === 1 && first.toString() === "{";
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}
