import type { Clock } from "../../../shared/clock.ts";
import { type AppError, isAppError } from "../../../shared/errors.ts";

/** What became of one look: whoever hangs, or fails, keeps nobody else from being looked at. */
export type Looked<T> =
  | { is: "known"; value: T }
  | { is: "late"; afterMs: number }
  | { is: "failed"; problem: AppError }
  | { is: "bug"; error: unknown }
  /** There is nothing to look at, or something else must be mended before. */
  | { is: "skipped" };

export const SKIPPED = { is: "skipped" } as const;

/** No look takes longer than one call to a vendor should. */
export const LONGEST_LOOK_MS = 10_000;

export interface Looker {
  look<T>(work: (signal: AbortSignal) => Promise<T>): Promise<Looked<T>>;
  /** The first mistake of our own that was met; undefined where none was. */
  bug(): unknown;
  /** Once what came too late has ended, too, unless somebody stops us: a refresh under way must not be cut off. */
  ended(): Promise<void>;
}

export function createLooker({
  clock,
  signal,
}: {
  clock: Pick<Clock, "sleep">;
  signal: AbortSignal;
}): Looker {
  const underWay = new Set<Promise<unknown>>();
  const bugs: unknown[] = [];
  return {
    look: async (work) => {
      signal.throwIfAborted();
      const stop = new AbortController();
      const abort = () => stop.abort(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      const running = outcomeOf(work(stop.signal)).finally(() => {
        signal.removeEventListener("abort", abort);
        underWay.delete(running);
      });
      underWay.add(running);
      const isOver = new AbortController();
      const late = clock.sleep(LONGEST_LOOK_MS, isOver.signal).then(
        () => ({ is: "late", afterMs: LONGEST_LOOK_MS }) as const,
        () => running,
      );
      const outcome = await Promise.race([running, late]);
      isOver.abort();
      signal.throwIfAborted();
      if (outcome.is === "bug") bugs.push(outcome.error);
      if (outcome.is === "late") stop.abort(new DOMException("timed out", "TimeoutError"));
      return outcome;
    },
    bug: () => bugs[0],
    ended: async () => {
      const isStopped = new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener("abort", () => resolve(), { once: true });
      });
      await Promise.race([Promise.allSettled(underWay), isStopped]);
    },
  };
}

async function outcomeOf<T>(running: Promise<T>): Promise<Looked<T>> {
  try {
    return { is: "known", value: await running };
  } catch (error) {
    return isAppError(error) ? { is: "failed", problem: error } : { is: "bug", error };
  }
}

/** The same for what follows from a look; skipped where that one brought nothing. */
export async function ifFound<T, Next>(
  looked: Looked<T>,
  next: (value: T) => Promise<Looked<Next>>,
): Promise<Looked<Next>> {
  return looked.is === "known" ? await next(looked.value) : SKIPPED;
}

export function foundIn<T>(looked: Looked<T>): T | null {
  return looked.is === "known" ? looked.value : null;
}
