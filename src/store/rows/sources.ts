import type { TakenEvent } from "../contract/store.ts";

/** As large as the largest event: where it has room, an event has. */
export const TRIAL_BYTES = 1024 * 1024;

export interface TakenRow extends Omit<TakenEvent, "conflict"> {
  conflict: 0 | 1;
}

export function takenOf(row: TakenRow): TakenEvent {
  return { ...row, conflict: row.conflict === 1 };
}
