import { join } from "node:path";
import type { Clock } from "../../shared/clock.ts";
import { thisProcess } from "../../shared/process-identity.ts";
import type { Store } from "../contract/store.ts";
import { openLog, storeErrors } from "./file/open.ts";
import { prepareLate } from "./file/late-statements.ts";
import { finished } from "./file/slices.ts";
import { storeOf, type VerbArgs, type VerbName, type Verbs, VERBS } from "./forward.ts";
import { createVerbs } from "./verbs.ts";
import { watchOthers } from "./file/watch.ts";

/**
 * The store in this thread: for commands, which come, look and go. `serve` uses `openThreadedStore`, which
 * keeps the waiting for the disk away from its event loop.
 */
export async function openSqliteStore(options: {
  stateDir: string;
  clock: Clock;
  /** What would write fails. */
  toRead?: boolean;
}): Promise<Store> {
  const { stateDir, toRead = false } = options;
  const db = openLog(stateDir, { now: options.clock.now(), toRead });
  prepareLate(db);
  const verbs: Verbs = createVerbs(db, thisProcess(), options.clock);
  const path = join(stateDir, "log.db");
  /** Who watches, and how to stop looking for others' work on their behalf. */
  const watchers = new Map<() => void, () => void>();

  const call = async <Name extends VerbName>(name: Name, args: VerbArgs[Name]) => {
    const result = storeErrors(path, () => finished(verbs[name](...args)));
    if (VERBS[name].wakes) for (const onChange of watchers.keys()) queueMicrotask(onChange);
    return result;
  };
  return storeOf(call, {
    watch: (onChange) => {
      const stop = watchOthers(db, onChange);
      watchers.set(onChange, stop);
      return () => {
        watchers.delete(onChange);
        stop();
      };
    },
    close: async () => {
      for (const stop of watchers.values()) stop();
      db.close();
    },
  });
}
