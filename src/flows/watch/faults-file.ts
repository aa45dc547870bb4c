import { join } from "node:path";

/** Where a running `serve` tells of its store's faults; there only while there are any. */
export function faultsFile(stateDir: string): string {
  return join(stateDir, "serve-faults.json");
}
