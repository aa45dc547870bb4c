import type { Overview } from "../contract/store.ts";

export const DAY_MS = 24 * 3_600_000;
export const REMOVED_SHOWN_MS = 30 * DAY_MS;

export interface RemovedRow {
  invites: number;
  rejected: number;
  refused: number;
  lastAt: number | null;
}

export function removedIn(row: RemovedRow | undefined): Overview["removed"] {
  if (!row || row.lastAt === null) return null;
  const { invites, rejected, lastAt } = row;
  return { invites, rejected, lastAt };
}
