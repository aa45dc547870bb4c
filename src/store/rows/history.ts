import type { InviteHistory, InviteSummary } from "../contract/store.ts";
import { type PushRow, pushOf } from "./rows.ts";

/** An invite as people look at it, and what belongs to it, as rows. */
export interface InviteRow {
  id: number;
  org: string;
  contact: string;
  assessment: string | null;
  result: string;
  state_version: number;
  state: string;
}

export interface EventRow {
  source: string;
  event_id: string;
  type: string;
  at: number;
  received_at: number;
  conflict: number;
  told: string | null;
}

/** A push of an invite whose state has this version. */
export function summaryOf(push: PushRow, stateVersion: number): InviteSummary["pushes"][number] {
  return { ...pushOf(push), delivered: push.delivered_version >= stateVersion };
}

export function historyEventOf(row: EventRow): InviteHistory["events"][number] {
  return {
    source: row.source,
    eventId: row.event_id,
    type: row.type,
    at: row.at,
    receivedAt: row.received_at,
    conflict: row.conflict === 1,
    told: row.told,
  };
}

/** `others`: the rest of the same record, in order. */
export function withShared<Summary extends object>(
  summary: Summary,
  others: readonly { record: string; subject: string }[],
): Summary {
  const [first] = others;
  if (!first) return summary;
  return { ...summary, shared: { record: first.record, subjects: others.map(({ subject }) => subject) } };
}
