/** Rows in one write transaction: some 20 ms of work, so that nobody who writes beside it waits long. */
export const SLICE = 500;

/** Repeats `slice` until it finds nothing more to do. Returns the sum of what it did. */
export function untilNone(slice: () => number): number {
  let total = 0;
  for (let n = slice(); n > 0; n = slice()) total += n;
  return total;
}

export function inSlices<Item>(items: readonly Item[], work: (slice: Item[]) => void): void {
  for (let from = 0; from < items.length; from += SLICE) work(items.slice(from, from + SLICE));
}
