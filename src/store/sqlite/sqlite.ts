import { join } from "node:path";
import type { Clock } from "../../shared/clock.ts";
import { thisProcess } from "../../shared/process-identity.ts";
import type { Store } from "../contract/store.ts";
import { copyLog } from "./file/copy.ts";
import { identityOf } from "./file/identity.ts";
import { lossError } from "./file/loss.ts";
import { noticesOf } from "./file/notices.ts";
import { openLog } from "./file/open.ts";
import { storeError, storeErrors, storeErrorsLater } from "./file/store-errors.ts";
import { guardTransactions } from "./file/transaction.ts";
import { repeatWhileLockedOut } from "./file/locked-out.ts";
import { prepareLate } from "./file/late-statements.ts";
import { isSliced } from "./file/slices.ts";
import { type VerbName, VERBS } from "../contract/verbs.ts";
import { storeOf, type VerbArgs, type Verbs } from "./forward.ts";
import { createStandingVerbs } from "./standing-verbs.ts";
import { watchOthers } from "./file/watch.ts";

/** It looks for the lock without hearing anything else for so long at a time: no person notices that. */
const LONGEST_LOOK_MS = 150;
const PAUSE_MS = 1;

/**
 * The store in this thread: for commands, which come, look and go. `serve` uses `openThreadedStore`, which
 * keeps the waiting for the disk away from its event loop.
 */
export async function openSqliteStore(options: {
  stateDir: string;
  clock: Clock;
  /** What would write fails. */
  toRead?: boolean;
  /** There must be a log already. */
  isExpected?: boolean;
  /** Ends what waits for the log's lock. */
  signal?: AbortSignal;
}): Promise<Store> {
  const { stateDir, toRead = false, isExpected = false, signal } = options;
  const waiting = { pauseMs: PAUSE_MS, ...(signal ? { signal } : {}) };
  const db = await repeatWhileLockedOut(
    async () =>
      openLog(stateDir, { now: options.clock.now(), toRead, isExpected, longestWaitMs: LONGEST_LOOK_MS }),
    waiting,
  );
  const path = join(stateDir, "log.db");
  const identity = toRead ? null : storeErrors(path, () => identityOf(db, path));
  if (identity)
    guardTransactions(db, (since) => {
      const loss = identity.look(since);
      if (loss) throw lossError(path, loss);
    });
  prepareLate(db);
  const self = thisProcess();
  const all = async () => (await import("./verbs.ts")).createVerbs(db, self, options.clock);
  // Who only looks loads few verbs. Who writes has all at once: what is called first is done first.
  const verbs: Partial<Verbs> = toRead ? createStandingVerbs(db, self, options.clock) : await all();
  /** Who watches, and how to stop looking for others' work on their behalf. */
  const watchers = new Map<() => void, () => void>();

  const call = async <Name extends VerbName>(name: Name, args: VerbArgs[Name]) => {
    const verb: Verbs[Name] = verbs[name] ?? Object.assign(verbs, await all())[name];
    const result = await repeatWhileLockedOut(async (patience) => {
      const inWords = <Result>(step: () => Result): Result => {
        // A command keeps nobody waiting: it looks for the lock all the time, where `serve` would for a moment.
        db.isLockedOut = false;
        return storeErrors(path, step);
      };
      const work = inWords(() => verb(...args));
      if (!isSliced(work)) return work;
      for (;;) {
        const { done, value } = inWords(() => work.next());
        if (done) return value;
        if (value === undefined) patience.stepped();
        else await patience.orGiveUp(storeError(path, value));
      }
    }, waiting);
    if (VERBS[name].wakes) for (const onChange of watchers.keys()) queueMicrotask(onChange);
    return result;
  };
  return storeOf(call, {
    watch: (onChange) => {
      const notices = noticesOf(path);
      const stopLooking = watchOthers(db, notices, onChange);
      const stop = () => {
        stopLooking();
        notices.stop();
      };
      watchers.set(onChange, stop);
      return () => {
        watchers.delete(onChange);
        stop();
      };
    },
    copyTo: (file) => storeErrorsLater(path, () => copyLog(db, file)),
    close: async () => {
      for (const stop of watchers.values()) stop();
      if (!identity) db.close();
      else if (identity.look("nothing") === null) identity.close();
      else identity.abandon();
    },
    isHolding: () => true,
    faults: () => [],
    watchFaults: () => () => {},
  });
}
