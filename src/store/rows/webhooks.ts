import { tellsCompletion } from "../../core/confirmation.ts";
import type { Confirmation } from "../../core/event.ts";
import type { ReceivedWebhook } from "../contract/store.ts";

/** Webhooks of vendors as people see them, and what is kept of those that were refused. */

export const MINUTE_MS = 60_000;
/** Anyone can send a bad signature: what is kept of it stays small. */
export const REFUSALS_KEPT = 1_000;

/** One statement's columns: of a confirmation `c`, its event `e`, and its invite `i`, if it has one. */
export const RECEIVED_COLUMNS = `c.seq, e.event_id, e.type, c.at, e.received_at, e.conflict, c.candidate_id, c.job_id, c.assessment_id,
  coalesce(i.invitation_id, c.invitation_id) AS invitation_id, c.status, c.state, c.result IS NOT NULL AS has_result`;

export interface ReceivedRow {
  seq: number;
  event_id: string;
  type: string;
  at: number;
  received_at: number;
  conflict: 0 | 1;
  candidate_id: string;
  job_id: string | null;
  assessment_id: string;
  invitation_id: string | null;
  status: Confirmation["status"];
  state: string;
  has_result: 0 | 1 | boolean;
}

export function receivedOf(row: ReceivedRow): ReceivedWebhook {
  return {
    seq: row.seq,
    eventId: row.event_id,
    type: row.type,
    at: row.at,
    receivedAt: row.received_at,
    conflict: row.conflict === 1,
    candidateId: row.candidate_id,
    jobId: row.job_id,
    assessmentId: row.assessment_id,
    invitationId: row.invitation_id,
    status: row.status,
    isCompletion: tellsCompletion(row.status),
    hasResult: Boolean(row.has_result),
    isMatched: row.state !== "unmatched",
  };
}
