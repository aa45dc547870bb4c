/**
 * What strangers make us do, on an event loop that others need: all of it together gets 5 ms between two looks at the
 * network. The smallest goes first, so that long bodies hold up no short ones.
 */
export interface Turns {
  /**
   * Calls `step`, which does a little, until it says that all is done. `size`: how much there is to do, in any unit. Null
   * where it was done at once, as nearly always.
   */
  run(size: number, step: () => boolean): Promise<void> | null;
}

const TURN_MS = 5;

interface Work {
  size: number;
  step: () => boolean;
  resolve(): void;
  reject(error: unknown): void;
}

export function createTurns(): Turns {
  const waiting: Work[] = [];
  let spentMs = 0;
  let isNextPlanned = false;

  /** Returns whether all of it is done. */
  const goOn = (step: Work["step"]): boolean => {
    const before = spentMs;
    const begunAt = performance.now();
    for (;;) {
      const isDone = step();
      spentMs = before + performance.now() - begunAt;
      if (isDone || spentMs >= TURN_MS) return isDone;
    }
  };
  const planNext = () => {
    if (!isNextPlanned) setImmediate(next);
    isNextPlanned = true;
  };
  const next = () => {
    isNextPlanned = false;
    spentMs = 0;
    while (waiting.length > 0 && spentMs < TURN_MS) {
      const work = waiting.reduce((least, each) => (each.size < least.size ? each : least));
      const leave = () => waiting.splice(waiting.indexOf(work), 1);
      try {
        if (!goOn(work.step)) continue;
        leave();
        work.resolve();
      } catch (error) {
        leave();
        work.reject(error);
      }
    }
    if (waiting.length > 0) planNext();
  };

  return {
    run: (size, step) => {
      planNext();
      if (waiting.length === 0 && spentMs < TURN_MS && goOn(step)) return null;
      return new Promise<void>((resolve, reject) => waiting.push({ size, step, resolve, reject }));
    },
  };
}
