import { troubleOf } from "../../core/advice/database.ts";
import type { ServeFault } from "../../flows/watch/serve-faults.ts";
import type { Clock } from "../../shared/clock.ts";
import { type AppError, isAppError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { Store } from "../../store/contract/store.ts";

/**
 * A store that is full, locked or away, for as long as that lasts: each of these is told once, however often and by whomever it
 * is met. Where nobody asks the store it is tried, so that a repair is noticed without a webhook; that it is over is told once.
 */
export interface StoreTrouble {
  /** What a verb met. Throws whatever is no trouble of the store. */
  hear(error: unknown): void;
  /** An event is on disk. */
  stored(): void;
  /** Why the store could not do what it was asked last; null where it could. */
  fault(): ServeFault | null;
  /** Does the journal say it, in these words or in others for the same, and not yet that it is over? */
  hasTold(message: string): boolean;
  /** To be called about once a second while it is not over. */
  look(): Promise<void> | undefined;
  /** There is none, or its end is told. */
  isOver(): boolean;
}

interface StoreTroubleContext {
  store: Pick<Store, "tryWriting">;
  clock: Pick<Clock, "now">;
  log: Log;
  /** Does the store tell it itself, and its end? */
  isToldByStore(error: AppError): boolean;
  /** There is a fault, or no more. */
  onChange(): void;
}

/** Points in time are ms since the epoch. */
interface Trouble {
  since: number;
  heardAt: number;
  /** By `troubleOf`. */
  told: Set<string>;
  /** Null once something was stored after it was heard last. */
  fault: ServeFault | null;
  storedAt: number;
}

/** Each trial writes as much as the largest event. */
const LOOKS_BETWEEN_TRIALS = 3;
/** On a full disk a write still passes now and then: by then whoever goes on trying has met it again. */
const QUIET_MS = 30_000;

export function createStoreTrouble(context: StoreTroubleContext): StoreTrouble {
  const { store, clock, log, isToldByStore, onChange } = context;
  let trouble: Trouble | null = null;
  let looks = 0;
  const hasTold = (message: string) => trouble?.told.has(troubleOf(message)) ?? false;
  const hear = (error: unknown) => {
    if (!isAppError(error, "STORE_UNAVAILABLE")) throw error;
    if (isToldByStore(error)) return;
    const now = clock.now();
    const { message, hint = "" } = error;
    trouble ??= { since: now, heardAt: now, told: new Set(), fault: null, storedAt: now };
    if (!hasTold(message)) {
      const words = "the log cannot be used: all waits until it can";
      log.error(words, { reason: message, ...(hint === "" ? {} : { hint }) });
    }
    trouble.told.add(troubleOf(message));
    trouble.heardAt = now;
    const { fault } = trouble;
    trouble.fault = { kind: "unwritable", refuses: true, since: fault?.since ?? now, message, hint };
    if (fault === null) onChange();
  };
  const stored = () => {
    if (!trouble?.fault) return;
    trouble.fault = null;
    trouble.storedAt = clock.now();
    onChange();
  };
  const end = () => {
    if (trouble === null || trouble.fault !== null) return;
    const lastedSeconds = Math.round(Math.max(0, trouble.storedAt - trouble.since) / 1_000);
    log.info("the log can be used again", { lastedSeconds });
    trouble = null;
  };
  const isTrialDue = ({ fault, heardAt }: Trouble) => {
    if (fault === null) return Math.abs(clock.now() - heardAt) >= QUIET_MS;
    looks += 1;
    return looks % LOOKS_BETWEEN_TRIALS === 0;
  };
  return {
    hear,
    hasTold,
    stored,
    fault: () => trouble?.fault ?? null,
    isOver: () => trouble === null,
    look: () => {
      if (trouble === null || !isTrialDue(trouble)) return;
      const { fault } = trouble;
      return store.tryWriting().then(fault === null ? end : stored, hear);
    },
  };
}
