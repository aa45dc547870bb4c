import { isBusy } from "./transaction.ts";

/**
 * Work over many rows, cut into short transactions: whoever carries it out lets others go in between. What it yields is why
 * the next slice could not begin, where another process holds the lock: it is tried again when the work goes on.
 */
export type Sliced<Result> = Generator<Error | undefined, Result>;

/** Rows in one write transaction: some 20 ms of work, so that nobody who writes beside it waits long. */
export const SLICE = 500;

/** One slice, whose result is not lost with the lock. */
export function* unlocked<Result>(slice: () => Result): Sliced<Result> {
  for (;;) {
    try {
      return slice();
    } catch (error) {
      if (!(error instanceof Error && isBusy(error))) throw error;
      yield error;
    }
  }
}

/** Repeats `slice` until it finds nothing more to do. Returns the sum of what it did. */
export function* untilNone(slice: () => number): Sliced<number> {
  let total = 0;
  for (let n = yield* unlocked(slice); n > 0; n = yield* unlocked(slice)) {
    total += n;
    yield;
  }
  return total;
}

export function* inSlices<Item>(items: readonly Item[], work: (slice: Item[]) => void): Sliced<void> {
  for (let from = 0; from < items.length; from += SLICE) {
    yield* unlocked(() => work(items.slice(from, from + SLICE)));
    yield;
  }
}

export function isSliced<Result>(work: Result | Sliced<Result>): work is Sliced<Result> {
  return typeof work === "object" && work !== null && "next" in work && typeof work.next === "function";
}

/** Carries it out to its end, for whoever has nobody to let go and cannot wait. */
export function finished<Result>(work: Sliced<Result>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    if (value) throw value;
  }
}
