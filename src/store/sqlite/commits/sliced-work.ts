import { storeErrors } from "../file/store-errors.ts";
import { finished, type Sliced } from "../file/slices.ts";

interface Running {
  work: Sliced<unknown>;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** Carries out work over many rows a slice at a time, so that whatever else came to this thread goes in between. */
export function createSlicedWork(path: string) {
  const running = new Set<Running>();
  const settle = (one: Running, step: () => IteratorResult<undefined, unknown>): void => {
    try {
      const { done, value } = storeErrors(path, step);
      if (!done) return void setImmediate(next, one);
      running.delete(one);
      one.resolve(value);
    } catch (error) {
      running.delete(one);
      one.reject(error);
    }
  };
  const next = (one: Running): void => {
    if (running.has(one)) settle(one, () => one.work.next());
  };
  return {
    add: (one: Running): void => {
      running.add(one);
      next(one);
    },
    /** Comes to the end of what is under way, at once. */
    finish: (): void => {
      for (const one of running) settle(one, () => ({ done: true, value: finished(one.work) }));
    },
  };
}
