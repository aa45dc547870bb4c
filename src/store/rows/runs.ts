import type { Run } from "../contract/store.ts";

export interface RunRow {
  id: number;
  command: string;
  who: string;
  filter: string;
  counts: string | null;
  started_at: number;
  ended_at: number | null;
}

export function runOf(row: RunRow): Run {
  return {
    id: row.id,
    command: row.command,
    who: row.who,
    filter: JSON.parse(row.filter),
    counts: row.counts === null ? null : JSON.parse(row.counts),
    startedAt: row.started_at,
    endedAt: row.ended_at,
  };
}
