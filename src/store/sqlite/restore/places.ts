import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";

/** Where the parts of a restore are, beside the log. All names begin with the log's, so that they are private as it is. */
export interface Places {
  log: string;
  /** Tells everybody that the log is not to be opened. */
  marker: string;
  /** A state directory, in which the new log is made. */
  staged: string;
  stagedLog: string;
}

export const PARTS = ["", "-wal", "-shm"] as const;

export function placesIn(stateDir: string): Places {
  const log = join(stateDir, "log.db");
  const staged = `${log}.restored`;
  return { log, marker: `${log}.restoring`, staged, stagedLog: join(staged, "log.db") };
}

const Marker = v.object({
  by: v.object({ pid: v.number(), startedAt: v.string(), bootId: v.string() }),
  backup: v.string(),
  /** Where the old log's files go. */
  aside: v.string(),
});
export type Marker = v.InferOutput<typeof Marker>;

/** Null where no restore is under way, nor was cut off. */
export function readMarker(path: string): Marker | null {
  try {
    return v.parse(Marker, JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    return { by: { pid: 0, startedAt: "gone", bootId: "" }, backup: "<backup>", aside: "" };
  }
}
