import { storeError, storeErrors } from "../file/store-errors.ts";
import { finished, type Sliced } from "../file/slices.ts";
import { createPatience, type Patience } from "../file/locked-out.ts";

interface Running {
  work: Sliced<unknown>;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** Between two looks for a lock that another process holds. */
const PAUSE_MS = 250;

/** Carries out work over many rows a slice at a time, so that whatever else came to this thread goes in between. */
export function createSlicedWork(path: string) {
  const running = new Map<Running, Patience>();
  const settle = (one: Running, step: () => IteratorResult<Error | undefined, unknown>): void => {
    try {
      const { done, value } = storeErrors(path, step);
      if (!done) return void goOn(one, value);
      running.delete(one);
      one.resolve(value);
    } catch (error) {
      fail(one, error);
    }
  };
  const fail = (one: Running, error: unknown) => {
    running.delete(one);
    one.reject(error);
  };
  const goOn = (one: Running, locked: Error | undefined) => {
    const patience = running.get(one);
    if (locked === undefined) {
      patience?.stepped();
      setImmediate(next, one);
    } else
      void patience?.orGiveUp(storeError(path, locked)).then(
        () => next(one),
        (error: unknown) => running.has(one) && fail(one, error),
      );
  };
  const next = (one: Running): void => {
    if (running.has(one)) settle(one, () => one.work.next());
  };
  return {
    add: (one: Running): void => {
      running.set(one, createPatience({ pauseMs: PAUSE_MS }));
      next(one);
    },
    /** Comes to the end of what is under way, at once. */
    finish: (): void => {
      for (const one of running.keys()) settle(one, () => ({ done: true, value: finished(one.work) }));
    },
  };
}
