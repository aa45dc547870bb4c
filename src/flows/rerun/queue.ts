import type { Clock } from "../../shared/clock.ts";
import type { SelectionPage, Store } from "../../store/contract/store.ts";
import { createGiveWay } from "./give-way.ts";
import type { RerunPlan } from "./selection.ts";

export interface QueueOptions {
  runId: number;
  /** At most so many. */
  most: number;
  /** At most so many a second; null for as fast as it goes. */
  perSecond: number | null;
  signal: AbortSignal;
  onQueued(queued: number): void;
}

const PAGE = 1_000;

/** Makes the selected pushes due, page by page, as one run of theirs. What was queued before the signal aborts stays queued. */
export async function queueAll(
  { store, clock }: { store: Store; clock: Clock },
  plans: readonly RerunPlan[],
  { runId, most, perSecond, signal, onQueued }: QueueOptions,
): Promise<void> {
  const pageSize = Math.min(PAGE, perSecond ?? PAGE);
  let queued = 0;
  for (const { connection, selection } of plans) {
    const giveWay = createGiveWay({ store, clock }, connection);
    let after: string | null = null;
    do {
      signal.throwIfAborted();
      await giveWay(signal);
      const startedAt = clock.now();
      const { subjects, next }: SelectionPage = await store.selectSubjects(selection, {
        after,
        limit: Math.min(pageSize, most - queued),
      });
      const recreates = "pushes" in selection && selection.pushes.heldFor === "gone";
      const what = { subjects, runId, ...(recreates ? { recreates } : {}) };
      queued += await store.raise(connection.id, what, startedAt);
      onQueued(queued);
      after = queued < most ? next : null;
      if (perSecond !== null && after !== null) {
        const waitMs = (subjects.length / perSecond) * 1_000 - (clock.now() - startedAt);
        if (waitMs > 0) await clock.sleep(waitMs, signal);
      }
    } while (after !== null);
  }
}
