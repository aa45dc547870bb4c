/**
 * File descriptors are what connections, calls to vendors and the log live on, and a process has so many only. Strangers'
 * connections leave some for the rest; and when there are none, by whatever cause, it is told once, and once when it is over.
 */
import { closeSync, openSync, readFileSync } from "node:fs";
import { devNull } from "node:os";
import { isOutOfDescriptors, OUT_OF_DESCRIPTORS_HINT } from "../shared/out-of-descriptors.ts";
import type { Log } from "../shared/log.ts";

/** What log, vault and calls take: some 30 at rest, and one for each call under way. */
const KEPT_FOR_THE_REST = 96;
const FEWEST_CONNECTIONS = 8;

/** `serve.max_connections`, or as many as this process has room for; says so where that is fewer. */
export function connectionsWithinLimit(wanted: number, log: Pick<Log, "warn">): number {
  const limit = descriptorLimit();
  const room = Math.max(FEWEST_CONNECTIONS, limit - KEPT_FOR_THE_REST);
  if (room >= wanted) return wanted;
  const fields = { connections: room, wanted, descriptors: limit, hint: OUT_OF_DESCRIPTORS_HINT };
  log.warn("fewer connections are taken than serve.max_connections says", fields);
  return room;
}

/** How many this process may have open; infinite where the system does not say. */
function descriptorLimit(): number {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

export interface DescriptorWatch {
  /** To be called again and again. Nobody else would tell: Node drops a connection without a descriptor in silence. */
  look(): void;
  /** Were there none at the last look? */
  areOut(): boolean;
}

export function createDescriptorWatch(log: Pick<Log, "error" | "info">): DescriptorWatch {
  let isTold = false;
  const look = () => {
    const reason = whyNoneIsLeft();
    if (reason !== null && !isTold)
      log.error("no file descriptors are left: connections and calls fail until some are free", {
        reason,
        hint: OUT_OF_DESCRIPTORS_HINT,
      });
    if (reason === null && isTold) log.info("there are file descriptors again");
    isTold = reason !== null;
  };
  return { look, areOut: () => isTold };
}

function whyNoneIsLeft(): string | null {
  try {
    closeSync(openSync(devNull, "r"));
    return null;
  } catch (error) {
    if (!isOutOfDescriptors(error)) throw error;
    return error.code;
  }
}
