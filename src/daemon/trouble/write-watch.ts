import type { Clock } from "../../shared/clock.ts";
import { isAppError } from "../../shared/errors.ts";
import type { ServeFault } from "../../flows/watch/serve-faults.ts";
import type { Store } from "../../store/contract/store.ts";

/**
 * Whether the store could do what it was asked last, whatever kept it from that: a full disk, a file system that cannot be
 * written, a log that somebody locked. Where nobody asks it is tried, so that a repair is noticed without a webhook.
 */
export interface WriteWatch {
  /** Null when all is well. */
  fault(): ServeFault | null;
  /** What a verb met; anything but trouble of the store is none of its business. */
  hear(error: unknown): void;
  /** An event is on disk. */
  stored(): void;
  /** To be called about once a second. */
  look(): Promise<void>;
}

/** Each trial writes as much as the largest event. */
const LOOKS_BETWEEN_TRIALS = 3;

export function createWriteWatch({
  store,
  clock,
  onChange,
}: {
  store: Pick<Store, "tryWriting">;
  clock: Pick<Clock, "now">;
  /** Trouble began, or is over. */
  onChange(): void;
}): WriteWatch {
  let fault: ServeFault | null = null;
  let looks = 0;
  const hear = (error: unknown) => {
    if (!isAppError(error, "STORE_UNAVAILABLE")) return;
    const { message, hint = "" } = error;
    const isNew = fault === null;
    fault = { kind: "unwritable", refuses: true, since: fault?.since ?? clock.now(), message, hint };
    if (isNew) onChange();
  };
  const stored = () => {
    if (fault === null) return;
    fault = null;
    looks = 0;
    onChange();
  };
  return {
    fault: () => fault,
    hear,
    stored,
    look: async () => {
      if (fault === null) return;
      looks += 1;
      if (looks % LOOKS_BETWEEN_TRIALS === 0) await store.tryWriting().then(stored, hear);
    },
  };
}
