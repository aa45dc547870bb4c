import { accessSync, constants, existsSync, mkdirSync, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes the directory and those above it, for its owner alone. Not `mkdir` with `recursive`: on a file system that
 * takes no directories, as /proc, Node tries that for ever.
 */
export function makePrivateDir(path: string): void {
  if (existsSync(path)) return;
  const parent = dirname(path);
  if (parent !== path) makePrivateDir(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may have been first.
    if (!existsSync(path)) throw error;
  }
}

/** Linux' own, which hold no directories of anybody's: procfs and sysfs. */
const OF_THE_KERNEL = [0x9fa0, 0x62656572];

/** Why a directory that is not there could not be made, in words; null where it is there, or nothing speaks against it. */
export function whyNotMade(path: string): string | null {
  if (existsSync(path)) return null;
  const parent = dirname(path);
  if (parent === path) return null;
  if (!existsSync(parent)) return whyNotMade(parent);
  try {
    if (!statSync(parent).isDirectory()) return `${parent} is no directory`;
    if (OF_THE_KERNEL.includes(statfsSync(parent).type)) return `${parent} is the kernel's own`;
    accessSync(parent, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    return `${parent} cannot be written (${error.code})`;
  }
}
