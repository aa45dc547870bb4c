import { type Damage, findDamage } from "./damage.ts";
import { isBusy } from "./transaction.ts";

/** Between two slices: the search may take its time, others have none. */
const PAUSE_MS = 40;

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
  const timer = setInterval(() => {
    if (!step()) clearInterval(timer);
  }, PAUSE_MS).unref();
  return {
    stop: () => {
      clearInterval(timer);
      search.return();
    },
  };
}
