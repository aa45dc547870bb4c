import type { Clock } from "../../shared/clock.ts";

/** How often somebody may try to sign in with what is no good link. */
export interface Tries {
  /** Seconds until the next one; null where it may be now. */
  waitFor(client: string): number | null;
  failed(client: string): void;
}

const MOST_FAILURES = 10;
const WITHIN_MS = 10 * 60_000;
const MOST_CLIENTS = 1_000;

export function createTries({ now }: Pick<Clock, "now">): Tries {
  const failures = new Map<string, number[]>();
  const recent = (client: string) => {
    const at = now();
    return (failures.get(client) ?? []).filter((each) => each <= at && at - each < WITHIN_MS);
  };
  return {
    waitFor: (client) => {
      const [oldest, ...others] = recent(client);
      if (oldest === undefined || others.length + 1 < MOST_FAILURES) return null;
      return Math.ceil((oldest + WITHIN_MS - now()) / 1_000);
    },
    failed: (client) => {
      const kept = [...recent(client), now()].slice(-MOST_FAILURES);
      failures.delete(client);
      failures.set(client, kept);
      for (const oldest of failures.keys()) {
        if (failures.size <= MOST_CLIENTS) break;
        failures.delete(oldest);
      }
    },
  };
}
