export const SECOND_MS = 1_000;

/**
 * Looks again and again until the signal aborts: by the machine's own seconds, since whoever waits outside does so too.
 * One look ends before the next begins. Throws what a look throws.
 */
export async function everySecond(look: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await look();
    await new Promise<void>((resolve) => {
      // All who look do so together: each time the process wakes costs more than the look.
      const timer = setTimeout(end, SECOND_MS - (performance.now() % SECOND_MS));
      signal.addEventListener("abort", end);
      function end() {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        resolve();
      }
    });
  }
}
