import type { Clock } from "../../shared/clock.ts";
import { isAppError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { Store } from "../../store/contract/store.ts";
import type { StoreTrouble } from "../trouble/store-trouble.ts";

/** How long refusals are counted before they are written together: anyone can send bad ones, as fast as he likes. */
const WRITE_EVERY_MS = 1_000;

/** Counts what the receiver refuses, for `webhooks log`. A count that cannot be written is only told to the journal. */
export function createRefusals({
  store,
  clock,
  log,
  trouble,
}: {
  store: Pick<Store, "noteRefusals">;
  clock: Clock;
  log: Log;
  trouble: Pick<StoreTrouble, "hear">;
}) {
  const counts = new Map<string, { source: string; reason: string; n: number }>();
  const ended = new AbortController();
  let writing: Promise<void> | null = null;

  const write = async () => {
    const batch = [...counts.values()];
    counts.clear();
    if (batch.length === 0) return;
    try {
      await store.noteRefusals(batch, clock.now());
    } catch (error) {
      if (isAppError(error, "STORE_UNAVAILABLE")) trouble.hear(error);
      else log.warn("refusals not counted", { reason: error instanceof Error ? error.message : "unknown" });
    }
  };
  const writeSoon = async () => {
    await clock.sleep(WRITE_EVERY_MS, ended.signal).catch(() => {});
    writing = null;
    await write();
  };

  return {
    note: (source: string, reason: string): void => {
      const key = `${source}\n${reason}`;
      const known = counts.get(key) ?? { source, reason, n: 0 };
      known.n += 1;
      counts.set(key, known);
      writing ??= writeSoon();
    },
    end: async (): Promise<void> => {
      ended.abort();
      await writing;
      await write();
    },
  };
}
