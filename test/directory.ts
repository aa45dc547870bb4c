import { existsSync, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

const MEMORY = "/dev/shm";
const ENOUGH_BYTES = 2 ** 30;

/** In memory, where the machine has room for it: most tests ask what is in a file, not whether it survives. */
export const TEMPORARY = hasRoom(MEMORY) ? MEMORY : tmpdir();

/** A container's place may hold 64 MB. */
function hasRoom(path: string): boolean {
  if (!existsSync(path)) return false;
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize >= ENOUGH_BYTES;
}

/** A directory that goes with the test; on the disk for what is to be run, which memory may forbid. */
export function temporaryDirectory(parent = TEMPORARY): string {
  const path = mkdtempSync(join(parent, "jc-test-"));
  onTestFinished(() => removeTree(path));
  return path;
}

/** Also while a process that has been told to end still writes there. */
export function removeTree(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}
