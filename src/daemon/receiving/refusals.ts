import type { RefusalKind } from "../../core/advice/refused-sources.ts";
import type { Clock } from "../../shared/clock.ts";
import { isAppError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { SourceNote, Store } from "../../store/contract/store.ts";
import type { StoreTrouble } from "../trouble/store-trouble.ts";

/** How long refusals are counted before more of them are written together: anyone can send bad ones, as fast as he likes. */
const WRITE_EVERY_MS = 1_000;
/** How long a source that goes on being taken from is not noted again. */
const TAKEN_AGAIN_MS = 60_000;
/** Reasons name fields, so that whoever holds a secret can make up many. */
const MOST_REASONS = 50;
const REASONS_TOLD = 3;

interface Count {
  source: string;
  reason: string;
  kind: RefusalKind;
  n: number;
  /** Of them, how many came before the source was last taken from. */
  settled: number;
  /** Of them, how many the journal knows of. */
  told: number;
}

/**
 * Counts what the receiver refuses, for `status` and `webhooks log`, and tells the journal: of the first one at once, then
 * in one line a second at most. A count that cannot be written is only told to the journal. What is taken is noted at
 * once where something was refused before: it ends what `status` tells of that.
 */
export function createRefusals({
  store,
  clock,
  log,
  trouble,
}: {
  store: Pick<Store, "noteRefusals" | "noteSources">;
  clock: Clock;
  log: Log;
  trouble: Pick<StoreTrouble, "hear">;
}) {
  const counts = new Map<string, Count>();
  const ended = new AbortController();
  let writing: Promise<void> | null = null;
  const standing = new Map<string, SourceNote>();
  /** Those whose last event was taken, and when the store was told: another service may have refused one since. */
  const good = new Map<string, number>();
  let sinceStart = 0;
  let toldAt = Number.NEGATIVE_INFINITY;

  const countOf = (source: string, reason: string, kind: RefusalKind): Count => {
    const key = `${source}\n${reason}`;
    const known = counts.get(key);
    if (known) return known;
    if (counts.size >= MOST_REASONS && reason !== OTHER_REASONS)
      return countOf(source, OTHER_REASONS, "call");
    const begun = { source, reason, kind, n: 0, settled: 0, told: 0 };
    counts.set(key, begun);
    return begun;
  };
  const tell = (batch: readonly Count[]) => {
    const words = wordsOf(batch);
    if (words === null) return;
    toldAt = clock.now();
    log.warn("webhooks refused", { n: words.n, sinceStart, reasons: words.reasons });
    for (const count of batch) count.told = count.n;
  };
  const write = async () => {
    const [batch, notes] = [[...counts.values()], [...standing.values()]];
    counts.clear();
    standing.clear();
    if (notes.length === 0) return;
    tell(batch);
    try {
      // What was counted before is settled by a source that was taken from; of this batch each count says it itself.
      await store.noteSources(notes);
      if (batch.length > 0) {
        await store.noteRefusals(
          batch.map(({ told: _, ...count }) => count),
          clock.now(),
        );
      }
    } catch (error) {
      for (const { source } of notes) good.delete(source);
      if (isAppError(error, "STORE_UNAVAILABLE")) trouble.hear(error);
      else log.warn("refusals not counted", { reason: error instanceof Error ? error.message : "unknown" });
    }
  };
  /** The first at once, since somebody may stand before it; what comes within a second after it together. */
  const writeInTurn = async () => {
    await write();
    await clock.sleep(WRITE_EVERY_MS, ended.signal).catch(() => {});
    writing = standing.size > 0 ? writeInTurn() : null;
  };

  return {
    note: (source: string, reason: string, kind: RefusalKind): void => {
      const count = countOf(source, reason, kind);
      count.n += 1;
      sinceStart += 1;
      good.delete(source);
      standing.set(source, { ...standing.get(source), source, refusedAt: clock.now() });
      // Also what waits for a log that is busy: whoever reads one line takes its number for all there were.
      if (Math.abs(clock.now() - toldAt) >= WRITE_EVERY_MS) tell([...counts.values()]);
      writing ??= writeInTurn();
    },
    taken: (source: string): void => {
      const now = clock.now();
      if (Math.abs(now - (good.get(source) ?? Number.NEGATIVE_INFINITY)) < TAKEN_AGAIN_MS) return;
      good.set(source, now);
      for (const count of counts.values()) if (count.source === source) count.settled = count.n;
      standing.set(source, { ...standing.get(source), source, takenAt: now });
      writing ??= writeInTurn();
    },
    end: async (): Promise<void> => {
      ended.abort();
      await writing;
      await write();
    },
  };
}

const OTHER_REASONS = "other reasons";

/** Null where all of them were told. */
function wordsOf(batch: readonly Count[]): { n: number; reasons: string } | null {
  const untold = batch
    .map(({ source, reason, n, told }) => ({ words: `${source}: ${reason}`, n: n - told }))
    .filter(({ n }) => n > 0)
    .toSorted((a, b) => b.n - a.n);
  if (untold.length === 0) return null;
  const reasons = untold
    .slice(0, REASONS_TOLD)
    .map(({ words, n }) => (n === 1 ? words : `${words} (${n} times)`));
  const more = untold.length > REASONS_TOLD ? ["…"] : [];
  return { n: untold.reduce((sum, { n }) => sum + n, 0), reasons: [...reasons, ...more].join("; ") };
}
