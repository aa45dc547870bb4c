import type { Clock } from "../../shared/clock.ts";
import type { Config } from "../../shared/config.ts";
import { count, grouped } from "../../shared/text.ts";
import type { PurgeCounts, Store } from "../../store/contract/store.ts";

export interface RetentionContext {
  store: Pick<Store, "purge" | "runningServices">;
  clock: Clock;
  config: Config;
}

/** While a service lives, four parts of the time are for those who store events and deliver. */
const REST_PER_STEP = 4;
const SHORTEST_REST_MS = 20;

/**
 * Forgets what is older than its org keeps it, step by step: whoever stores an event goes in between. What it removed
 * before the signal aborts stays removed; the next run goes on.
 */
export async function forgetOld(
  { store, clock, config }: RetentionContext,
  {
    isDry,
    signal,
    onProgress,
  }: { isDry: boolean; signal: AbortSignal; onProgress?: ((rows: number) => void) | undefined },
): Promise<PurgeCounts> {
  const request = { now: clock.now(), isDry, ...keepsIn(config) };
  const isServed = (await store.runningServices()).length > 0;
  const sum: PurgeCounts = { invites: 0, events: 0, pushes: 0, rejected: 0, attempts: 0, others: 0 };
  for (let after: string | null = null; ; ) {
    signal.throwIfAborted();
    const startedAt = clock.now();
    const { removed, next } = await store.purge({ ...request, after });
    sum.invites += removed.invites;
    sum.events += removed.events;
    sum.pushes += removed.pushes;
    sum.rejected += removed.rejected;
    sum.attempts += removed.attempts;
    sum.others += removed.others;
    onProgress?.(sum.invites + sum.events + sum.pushes + sum.attempts + sum.others);
    if (next === null) return sum;
    after = next;
    const tookMs = clock.now() - startedAt;
    if (isServed) await clock.sleep(Math.max(SHORTEST_REST_MS, REST_PER_STEP * tookMs), signal);
  }
}

/** For how many days each org keeps what it has. */
function keepsIn(config: Config): { keepDays: number; keepDaysOf: Record<string, number> } {
  const keepDaysOf: Record<string, number> = {};
  for (const org of Object.keys(config.orgs)) {
    const days = config.orgs[org]?.retention_days;
    if (days !== undefined) keepDaysOf[org] = days;
  }
  return { keepDays: config["retention.days"], keepDaysOf };
}

/** For people, in one line. */
export function forgottenWords(
  { invites, events, pushes, attempts }: PurgeCounts,
  { isDry }: { isDry: boolean },
): string {
  const are = isDry ? "would be removed" : "removed";
  return `${count(invites, "invite")} ${are}, with ${count(events, "event")}, ${pushes === 1 ? "1 push" : `${grouped(pushes)} pushes`} and ${count(attempts, "attempt")}`;
}

/** Null where there is nothing to warn of. */
export function rejectedWords({ rejected }: PurgeCounts, { isDry }: { isDry: boolean }): string | null {
  if (rejected === 0) return null;
  const results = count(rejected, "result");
  return isDry
    ? `${results} that a vendor had rejected would go, never delivered`
    : `${results} that a vendor had rejected went, never delivered`;
}
