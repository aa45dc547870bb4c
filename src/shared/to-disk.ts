import { closeSync, fsyncSync, openSync } from "node:fs";

/** Of a file that no connection has open, or a directory: waits until what was written there is on disk. */
export function toDisk(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
