import type { Store } from "./store.ts";

/** A store that works in a thread of its own. */
export interface ThreadedStore extends Store {
  thread: StoreThread;
}

/** Tells a thread that waits for the disk from one that turns in circles. */
export interface StoreThread {
  /** Answered without the disk, after all that was asked before. Throws once the store is closed. */
  ask(): Promise<void>;
  /** The processor time that it has taken; null where the system does not tell. */
  cpuMs(): number | null;
  /**
   * Calls back soon after a file beside the log was changed, where the system tells that; or, unless `isWorking`, when it does no
   * more. While the log is lost nothing is told. Null where the log is no file.
   */
  watchBeside: ((heard: (isWorking: boolean) => void) => () => void) | null;
}
