/**
 * Whether the service still does its work, for a service manager that ends it when it hears nothing. What does not answer
 * because a disk, a vault or a vendor does not is alive; what turns in circles, or waits for nothing, is not. The verdict is
 * acted on in `service-manager.ts`.
 */
import type { Store } from "../store/contract/store.ts";
import type { StoreThread } from "../store/contract/threaded.ts";

/** Counted from the start. */
export interface Progress {
  /** Answers of the store that the scheduler has gone on with. */
  steps: number;
  /** Answers of the store's thread that need no disk. */
  answers: number;
  /** Processor time of the store's thread; null where the system does not tell. */
  cpuMs: number | null;
}

export type Verdict = "works" | "waits for the disk" | "hangs";

/** A thread that takes as much of a processor does not wait. */
const BUSY = 0.5;

/** What became of the service in between. */
export function verdictOn(before: Progress, now: Progress, elapsedMs: number): Verdict {
  if (now.steps > before.steps) return "works";
  if (now.answers > before.answers) return "hangs";
  const cpuMs = before.cpuMs === null || now.cpuMs === null ? 0 : now.cpuMs - before.cpuMs;
  return cpuMs < BUSY * elapsedMs ? "waits for the disk" : "hangs";
}

/** Nobody can have answered in less. */
const LEAST_MS = 100;

type Scheduled = Pick<Store, "dueWork" | "beginTick" | "endTick">;

export interface Watchdog {
  /** The store as the scheduler is to have it. */
  through<S extends Scheduled>(store: S): S;
  /** What became of it since the last look; asks scheduler and store for the next one. */
  look(): Verdict;
}

export function createWatchdog(
  { thread, wake }: { thread: StoreThread; wake: () => void },
  clock: { now(): number },
): Watchdog {
  let [steps, answers] = [0, 0];
  const progress = (): Progress => ({ steps, answers, cpuMs: thread.cpuMs() });
  /** Nobody was asked anything before the first look. */
  let before: (Progress & { at: number }) | null = null;
  const counted =
    <Args extends unknown[], Result>(verb: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      try {
        return await verb(...args);
      } finally {
        steps += 1;
      }
    };
  return {
    through: (store) => ({
      ...store,
      dueWork: counted(store.dueWork),
      beginTick: counted(store.beginTick),
      endTick: counted(store.endTick),
    }),
    look: () => {
      const now = { ...progress(), at: clock.now() };
      if (before && now.at - before.at < LEAST_MS) return "works";
      const verdict = before ? verdictOn(before, now, now.at - before.at) : "works";
      before = now;
      thread.ask().then(
        () => {
          answers += 1;
        },
        // It is closed, or dies, which others notice.
        () => {},
      );
      wake();
      return verdict;
    },
  };
}
