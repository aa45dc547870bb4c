/** Rows in one write transaction: some 20 ms of work, so that nobody who writes beside it waits long. */
export const SLICE = 500;

/** Repeats `slice` until it finds nothing more to do. Returns the sum of what it did. */
export async function untilNone(slice: () => Promise<number>): Promise<number> {
  let total = 0;
  for (let n = await slice(); n > 0; n = await slice()) total += n;
  return total;
}

export async function inSlices<Item>(
  items: readonly Item[],
  work: (slice: Item[]) => Promise<unknown>,
): Promise<void> {
  for (let from = 0; from < items.length; from += SLICE) await work(items.slice(from, from + SLICE));
}
