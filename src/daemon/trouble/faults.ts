import { troubleOf } from "../../core/advice/database.ts";
import { forgetServeFaults, type ServeFault, tellServeFaults } from "../../flows/watch/serve-faults.ts";
import type { Clock } from "../../shared/clock.ts";
import type { AppError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { Store, StoreFault, StoreFaultKind } from "../../store/contract/store.ts";
import type { SecretWatch } from "./secret-watch.ts";
import type { StoreTrouble } from "./store-trouble.ts";

/** All that keeps the service from taking events: told once each to the journal, and to `status` by a file beside the log. */
export interface Faults {
  /** The store's own one for which nothing is taken in; null while there is none. */
  storeRefuses(): StoreFault | null;
  /** Does the store tell this trouble itself, and its end? It may have ended before whoever met it comes to say so. */
  isToldByStore(error: AppError): boolean;
  all(): readonly ServeFault[];
  /** In one word, why the service is not ready; null when it is. */
  word(): "storage" | "secrets" | null;
  /** To be called about once a second. */
  look(): void;
  end(): void;
}

const OVER: Readonly<Record<StoreFaultKind | "secrets", string>> = {
  lost: "the log is back, or what was accepted in its place: all goes on",
  unusable: "the log can be used: all goes on",
  damaged: "the log is whole: all goes on",
  "held-up": "the log's -wal is small again",
  secrets: "every source in use has a webhook secret again",
};

const NONE = "[]";
/** A call that met trouble says so after others were served again. */
const LATE_MS = 5_000;

export function createFaults({
  clock,
  store,
  log,
  stateDir,
  writes,
  secrets,
  onUsable,
}: {
  clock: Pick<Clock, "now">;
  store: Pick<Store, "faults" | "watchFaults">;
  log: Log;
  stateDir: string;
  writes: Pick<StoreTrouble, "fault" | "hasTold">;
  secrets: Pick<SecretWatch, "faults">;
  /** Nothing refuses any more what was refused. */
  onUsable(): void;
}): Faults {
  /** By kind; each source without a secret for itself. */
  const told = new Map<string, ServeFault>();
  /** What was said of what is unusable, by `troubleOf`, while that lasts. */
  const said = new Set<string>();
  let inFile = "";
  /** When the store's own trouble ended, by its message. */
  const ended = new Map<string, number>();
  const storeRefuses = () => store.faults().find(({ refuses }) => refuses) ?? null;
  const all = (): ServeFault[] => {
    const own = store.faults();
    // What the store says of itself is why it could not.
    const unwritable = storeRefuses() ? null : writes.fault();
    return [...own, ...(unwritable ? [unwritable] : []), ...secrets.faults()];
  };
  /** Where a database is gone, whoever asks it next says more of that than the connection that watches it. */
  const isLeftToOthers = ({ kind, refuses, since, message }: ServeFault) =>
    kind === "unusable" && !refuses && (clock.now() - since < LATE_MS || writes.hasTold(message));
  const look = () => {
    const faults = all();
    if (faults.length === 0 && told.size === 0 && inFile === NONE) return;
    const wasRefusing = [...told.values()].some(({ kind, refuses }) => refuses && kind !== "secrets");
    for (const fault of faults) {
      const { kind } = fault;
      // Whoever met it has told it.
      if (kind === "unwritable" || isLeftToOthers(fault)) continue;
      const trouble = troubleOf(fault.message);
      const isNew = kind === "unusable" ? !said.has(trouble) : !told.has(keyOf(fault));
      if (isNew) tell(log, fault);
      said.add(trouble);
      told.set(keyOf(fault), fault);
    }
    for (const [key, { kind, message, refuses }] of told) {
      if (kind === "unwritable" || faults.some((fault) => keyOf(fault) === key)) continue;
      told.delete(key);
      if (refuses) ended.set(message, clock.now());
      if (kind !== "secrets" || ![...told.values()].some((other) => other.kind === kind))
        log.info(OVER[kind]);
    }
    if (told.size === 0) said.clear();
    const text = JSON.stringify(faults);
    if (text !== inFile) inFile = tellServeFaults(stateDir, faults) ? text : "";
    if (wasRefusing && storeRefuses() === null) onUsable();
  };
  const stop = store.watchFaults(look);
  // Takes the room while there is some.
  tellServeFaults(stateDir, []);
  look();
  return {
    storeRefuses,
    isToldByStore: ({ message }) =>
      storeRefuses() !== null || clock.now() - (ended.get(message) ?? Number.NEGATIVE_INFINITY) < LATE_MS,
    all,
    word: () => {
      const faults = all();
      if (faults.some(isOfStorage)) return "storage";
      return faults.some(({ kind }) => kind === "secrets") ? "secrets" : null;
    },
    look,
    end: () => {
      stop();
      forgetServeFaults(stateDir);
    },
  };
}

/** Does it keep an event from being stored, or may it? */
function isOfStorage({ kind, refuses }: ServeFault): boolean {
  if (kind === "unusable") return refuses;
  return kind !== "held-up" && kind !== "secrets";
}

function keyOf({ kind, message }: ServeFault): string {
  return kind === "secrets" ? message : kind;
}

function tell(log: Log, { kind, refuses, message, hint, isStep }: ServeFault): void {
  if (isStep) log.info(message, { hint });
  else if (kind === "secrets") log.error(message, { hint });
  else if (refuses) log.error("the store refuses webhooks and deliveries", { reason: message, hint });
  else if (kind === "held-up") log.warn(message, { hint });
  else log.error(message, { hint });
}
