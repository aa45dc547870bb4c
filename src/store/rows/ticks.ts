import type { TickRequest, TickStanding } from "../contract/store.ts";

/** A run that failed is begun again after this long, then after twice as long, up to an hour. */
const FIRST_PAUSE_MS = 60_000;
export const LONGEST_PAUSE_MS = 3_600_000;

/** How often a job was begun for one due time, and whether it was done. */
export interface TickRow {
  /** When it was begun last. */
  opened_at: number;
  /** The process that runs it, or died over it; null where none does. */
  holder: string | number | null;
  tries: number;
  is_done: number;
}

/** `isUnderWay`: is any run of the job? `tick`: its row for this due time. */
export function tickStandingOf(
  tick: TickRow | undefined,
  { isUnderWay, now }: Pick<TickRequest, "now"> & { isUnderWay: boolean },
): TickStanding {
  if (isUnderWay) return "later";
  if (tick?.is_done === 1) return "done";
  return tick && isResting(tick, now) ? "later" : "ours";
}

/** The first time that its process was killed it is begun again at once; one that kills its process must not do so for ever. */
function isResting({ opened_at: openedAt, holder, tries }: TickRow, now: number): boolean {
  const failures = holder === null ? tries : tries - 1;
  const pauseMs = failures === 0 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS);
  return openedAt <= now && now < openedAt + pauseMs;
}
