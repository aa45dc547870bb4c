import { setMaxListeners } from "node:events";
import type { Log } from "../shared/log.ts";
import type { Notify } from "../systemd/notify.ts";

/** How long calls under way may take once we were told to stop; systemd's own patience is 90 s. */
export const LAST_CALLS_MS = 10_000;

export interface Stopping {
  /** Nothing new begins. */
  stop: AbortSignal;
  /** What is still under way is cut off. */
  abort: AbortSignal;
  /** Stops, asked or not. */
  begin(): void;
  /** Heeds the process's signal no longer. */
  end(): void;
}

/** The two steps of an ordered end. */
export function stopsOn(signal: AbortSignal, { log, notify }: { log: Log; notify: Notify }): Stopping {
  const [stop, abort] = [new AbortController(), new AbortController()];
  // All that runs until then listens to it.
  setMaxListeners(0, stop.signal);
  stop.signal.addEventListener("abort", () => {
    log.info("stopping");
    notify({ STOPPING: "1", STATUS: "Stops; what is under way is finished" });
    setTimeout(() => abort.abort(), LAST_CALLS_MS).unref();
  });
  const begin = () => stop.abort();
  signal.addEventListener("abort", begin);
  if (signal.aborted) begin();
  return {
    stop: stop.signal,
    abort: abort.signal,
    begin,
    end: () => signal.removeEventListener("abort", begin),
  };
}
