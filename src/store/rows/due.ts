import type { ClaimKind } from "../../core/delivery/events.ts";

/** Threads that look at one clock a moment apart see no clock that was ahead. */
export const CLOCK_SLACK_MS = 60_000;

/** A push that is due, as a row. */
export interface DueRow {
  id: number;
  subject: string;
  version: number;
  pendingSince: number | null;
  tries: number;
  alone: number;
  told: number;
  record: string | null;
  receipt: string | null;
}

/** One in quarantine goes by itself; the others go without it. A call that names one record twice is refused whole. */
export function companions<Row extends Pick<DueRow, "alone" | "record">>(rows: Row[]): Row[] {
  if (rows[0]?.alone === 1) return rows.slice(0, 1);
  const records = new Set<string>();
  return rows.filter(({ alone, record }) => {
    if (alone === 1 || (record !== null && records.has(record))) return false;
    if (record !== null) records.add(record);
    return true;
  });
}

/** Which of the due pushes are of the kind, as a condition on their columns. */
export const KINDS: Readonly<Record<ClaimKind, string>> = {
  any: "",
  fresh: "AND tries = 0",
  failed: "AND tries > 0",
  "failed together": "AND tries > 0 AND alone = 0",
};
