import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import * as v from "valibot";
import { isRunning, thisProcess } from "../../shared/process-identity.ts";
import type { StoreFault } from "../../store/contract/store.ts";
import { faultsFile } from "./faults-file.ts";

/**
 * What a running `serve` knows of faults of its store, in a small file beside the log: the log itself cannot tell, and
 * whoever looks may find another file in its place.
 */
const Told = v.object({
  service: v.object({ pid: v.number(), startedAt: v.string(), bootId: v.string() }),
  faults: v.array(
    v.object({
      kind: v.picklist(["lost", "unusable", "damaged", "held-up"]),
      refuses: v.boolean(),
      since: v.number(),
      message: v.string(),
      hint: v.string(),
    }),
  ),
});

/** Does its best: on a disk that is full, or in a directory that is gone, nothing can be told. */
export function tellServeFaults(stateDir: string, faults: readonly StoreFault[]): void {
  const path = faultsFile(stateDir);
  try {
    if (faults.length === 0) {
      rmSync(path, { force: true });
      return;
    }
    writeFileSync(`${path}.new`, JSON.stringify({ service: thisProcess(), faults }), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch {
    // The journal and /readyz say it as well.
  }
}

/** Of a service that lives; none of one that was killed. */
export function serveFaults(stateDir: string): readonly StoreFault[] {
  try {
    const { service, faults } = v.parse(Told, JSON.parse(readFileSync(faultsFile(stateDir), "utf8")));
    return isRunning(service) ? faults : [];
  } catch {
    return [];
  }
}
