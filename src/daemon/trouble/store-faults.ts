import { tellServeFaults } from "../../flows/watch/serve-faults.ts";
import type { Log } from "../../shared/log.ts";
import type { Store, StoreFault, StoreFaultKind } from "../../store/contract/store.ts";

/** Tells of the store's own faults, each once: to the journal, and to `status` by a file beside the log. */
export interface StoreFaults {
  /** The one for which nothing is taken in; null while there is none. */
  refusing(): StoreFault | null;
  /** More than a warning: whoever asks whether the service is ready hears no. */
  isNotReady(): boolean;
  end(): void;
}

const OVER: Readonly<Record<StoreFaultKind, string>> = {
  lost: "the log is back, or what was accepted in its place: all goes on",
  unusable: "the log can be used: all goes on",
  damaged: "the log is whole: all goes on",
  "held-up": "the log's -wal is small again",
};

export function createStoreFaults({
  store,
  log,
  stateDir,
  onUsable,
}: {
  store: Pick<Store, "faults" | "watchFaults">;
  log: Log;
  stateDir: string;
  /** Nothing refuses any more what was refused. */
  onUsable(): void;
}): StoreFaults {
  const told = new Map<StoreFaultKind, StoreFault>();
  const refusing = () => store.faults().find(({ refuses }) => refuses) ?? null;
  const look = () => {
    const wasRefusing = [...told.values()].some(({ refuses }) => refuses);
    const faults = store.faults();
    for (const fault of faults) {
      if (!told.has(fault.kind)) {
        const { message, hint } = fault;
        if (fault.refuses) log.error("the store refuses webhooks and deliveries", { reason: message, hint });
        else if (fault.kind === "held-up") log.warn(message, { hint });
        else log.error(message, { hint });
      }
      told.set(fault.kind, fault);
    }
    for (const kind of told.keys()) {
      if (faults.some((fault) => fault.kind === kind)) continue;
      told.delete(kind);
      log.info(OVER[kind]);
    }
    tellServeFaults(stateDir, faults);
    if (wasRefusing && refusing() === null) onUsable();
  };
  const stop = store.watchFaults(look);
  look();
  return {
    refusing,
    isNotReady: () => store.faults().some(({ kind }) => kind !== "held-up"),
    end: () => {
      stop();
      tellServeFaults(stateDir, []);
    },
  };
}
