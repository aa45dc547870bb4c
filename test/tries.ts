/** How often a property is tried. `.ci/long` asks for more: `JC_TEST_TRIES=10` tries each ten times as often as the suite does. */
const TIMES = Number(process.env.JC_TEST_TRIES ?? 1);

/** A net for a property without I/O, on a machine that may be busy. */
export const TRIES_MS = 600_000 * TIMES;

/** With a seed the suite tries the same ones each time, unless `JC_TEST_SEED` names another. */
export function tries(usual: number, suiteSeed?: number): { numRuns: number; seed?: number } {
  const seed = process.env.JC_TEST_SEED ?? suiteSeed;
  return { numRuns: usual * TIMES, ...(seed === undefined ? {} : { seed: Number(seed) }) };
}
