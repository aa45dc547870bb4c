/** How long a command watches a service at work that nothing comes out of. */
import type { Standing } from "../../store/contract/store.ts";

/** Nobody watches: since the reason was told and nothing went through. */
const TOLD_MS = 60_000;
/** The same where no reason is known. */
const UNTOLD_MS = 10 * 60_000;

export interface Patience {
  /** Notes how the pushes stand and why they wait, if that is known; true when it is over. */
  isOver(now: number, standing: Standing, reason: string | null): boolean;
}

/** Counts from the last push that went through. */
export function createPatience(startAt: number): Patience {
  let movedAt = startAt;
  let toldAt: number | null = null;
  let through = 0;
  return {
    isOver: (now, { delivered, rejected, held }, reason) => {
      const done = delivered + rejected + held;
      if (done > through) {
        through = done;
        movedAt = now;
        toldAt = null;
      }
      toldAt = reason === null ? null : (toldAt ?? now);
      return now - movedAt >= UNTOLD_MS || (toldAt !== null && now - toldAt >= TOLD_MS);
    },
  };
}
