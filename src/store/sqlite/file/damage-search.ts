import { type Damage, findDamage } from "./damage.ts";
import { isBusy } from "./transaction.ts";

/** Between two slices, at least: the search may take its time, others have none. */
const PAUSE_MS = 40;
/** A slice waits so many times as long as the one before took, so that a busy service hardly feels it. */
const PAUSES = 40;

/** Looks for damage in the background, slice by slice, until it is through or is stopped. */
export function searchDamage(
  path: string,
  { isPaused, onFound }: { isPaused(): boolean; onFound(damage: Damage | Error): void },
): { stop(): void } {
  const search = findDamage(path);
  const step = (): boolean => {
    if (isPaused()) return true;
    try {
      const { done, value } = search.next();
      if (value) onFound(value);
      return !done;
    } catch (error) {
      if (!isBusy(error)) onFound(error instanceof Error ? error : new Error(String(error)));
      return false;
    }
  };
  let timer: NodeJS.Timeout;
  const plan = (ms: number) => {
    timer = setTimeout(goOn, ms).unref();
  };
  const goOn = () => {
    const begunAt = performance.now();
    if (step()) plan(Math.max(PAUSE_MS, PAUSES * (performance.now() - begunAt)));
  };
  plan(PAUSE_MS);
  return {
    stop: () => {
      clearTimeout(timer);
      search.return();
    },
  };
}
