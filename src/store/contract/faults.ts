/**
 * What is wrong with the store itself, for as long as it lasts. Whoever answers for the service reads it from memory:
 * a store that is broken cannot tell of itself.
 */
export interface StoreFault {
  kind: StoreFaultKind;
  /** Nothing is taken in while it lasts. */
  refuses: boolean;
  since: number;
  message: string;
  /** What to do about it. */
  hint: string;
}

/**
 * `lost`: the file is no longer the log that was opened. `unusable`: it cannot be opened. `damaged`: its content
 * contradicts itself. `held-up`: another process keeps its -wal
 * from being written into it, which is a warning and no more.
 */
export type StoreFaultKind = "lost" | "unusable" | "damaged" | "held-up";

export interface Faults {
  /** Those that last, from memory; none in a command, which meets them as errors. */
  faults(): readonly StoreFault[];
  /** Calls back when they changed. Returns how to stop. */
  watchFaults(onChange: () => void): () => void;
}
