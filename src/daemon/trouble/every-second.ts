export const SECOND_MS = 1_000;

/** The same once a second. */
export function everySecond(look: () => Promise<void>, signal: AbortSignal): Promise<void> {
  return every(SECOND_MS, look, signal);
}

/**
 * Looks again and again until the signal aborts: by the machine's own seconds, since whoever waits outside does so too.
 * One look ends before the next begins. Throws what a look throws.
 */
export async function every(ms: number, look: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await look();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(end, untilNext(ms));
      signal.addEventListener("abort", end);
      function end() {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        resolve();
      }
    });
  }
}

/** All who look in whole seconds do so together: each time the process wakes costs more than the look. */
function untilNext(ms: number): number {
  return ms % SECOND_MS === 0 ? ms - (performance.now() % SECOND_MS) : ms;
}
