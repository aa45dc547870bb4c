import type { Clock } from "../shared/clock.ts";
import type { Lost } from "../shared/io.ts";
import type { Log } from "../shared/log.ts";
import type { ServiceFacts, Store } from "../store/contract/store.ts";
import type { StoreTrouble } from "./trouble/store-trouble.ts";

/** Keeps in the store that this service runs, and with what: for `status`, which may be of a newer program by then. */
export interface Presence {
  /** Tells the store, now; where it is full or locked, later. */
  tell(): Promise<void>;
  run(signal: AbortSignal): Promise<void>;
}

const LOOK_EVERY_MS = 20_000;

export function createPresence(
  { store, clock, log, trouble }: { store: Store; clock: Clock; log: Log; trouble: StoreTrouble },
  { facts, lost }: { facts: () => Omit<ServiceFacts, "lostLines">; lost: () => Lost },
): Presence {
  let isTold = false;
  let toldLines = 0;
  let noticedLines = 0;

  const tell = async () => {
    const { lines } = lost();
    isTold = false;
    await store.runningServices({ enter: { ...facts(), lostLines: lines } }).then(() => {
      isTold = true;
      toldLines = lines;
    }, trouble.hear);
  };
  /** Once the log can be written again: what is missing from it. */
  const noticeGap = () => {
    const { lines, isOver } = lost();
    if (lines === noticedLines || !isOver) return;
    log.warn("lines of this log could not be written and are lost", { lines: lines - noticedLines });
    noticedLines = lines;
  };
  return {
    tell,
    run: async (signal) => {
      while (!signal.aborted) {
        await clock.sleep(LOOK_EVERY_MS, signal).catch(() => {});
        if (signal.aborted) return;
        noticeGap();
        if (!isTold || lost().lines !== toldLines) await tell();
      }
    },
  };
}
