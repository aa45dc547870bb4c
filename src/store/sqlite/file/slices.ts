/** Work over many rows, cut into short transactions: whoever carries it out lets others go in between. */
export type Sliced<Result> = Generator<undefined, Result>;

/** Rows in one write transaction: some 20 ms of work, so that nobody who writes beside it waits long. */
export const SLICE = 500;

/** Repeats `slice` until it finds nothing more to do. Returns the sum of what it did. */
export function* untilNone(slice: () => number): Sliced<number> {
  let total = 0;
  for (let n = slice(); n > 0; n = slice()) {
    total += n;
    yield;
  }
  return total;
}

export function* inSlices<Item>(items: readonly Item[], work: (slice: Item[]) => void): Sliced<void> {
  for (let from = 0; from < items.length; from += SLICE) {
    work(items.slice(from, from + SLICE));
    yield;
  }
}

export function isSliced<Result>(work: Result | Sliced<Result>): work is Sliced<Result> {
  return typeof work === "object" && work !== null && "next" in work && typeof work.next === "function";
}

/** Carries it out to its end, for whoever has nobody to let go. */
export function finished<Result>(work: Result | Sliced<Result>): Result {
  if (!isSliced(work)) return work;
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}
