/**
 * What a promise costs where nobody else is at work: the least of some rounds, since what else the machine does only adds
 * to it. No more of them are made than it takes to come below `limit`.
 */
export async function leastOf(limit: number, round: () => Promise<number>, rounds = 5): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let n = 0; n < rounds && least >= limit; n += 1) least = Math.min(least, await round());
  return least;
}

/** How long it takes, in milliseconds. */
export async function msOf(work: () => Promise<unknown>): Promise<number> {
  const beganAt = performance.now();
  await work();
  return performance.now() - beganAt;
}
