import { tellsCompletion } from "../../../core/confirmation.ts";
import type { Confirmation } from "../../../core/event.ts";
import type { ReceivedQuery, ReceivedWebhook, Refusal, TrialCandidate } from "../../contract/store.ts";
import type { Db } from "../file/db.ts";
import { transaction } from "../file/transaction.ts";

/** Webhooks of vendors as people see them, and what was refused. */
const MINUTE_MS = 60_000;
/** Anyone can send a bad signature: what is kept of it stays small. */
const REFUSALS_KEPT = 1_000;

export function createWebhooks(db: Db) {
  const received = (query: ReceivedQuery): ReceivedWebhook[] => {
    const conditions = [
      "WHERE c.org = @org AND c.vendor = @vendor AND c.environment = @environment AND c.seq > @after",
      query.unmatched ? "AND c.state = 'unmatched'" : "",
      query.candidateId === undefined ? "" : "AND c.candidate_id = @candidateId",
    ];
    return db
      .prepare<object, ReceivedRow>(`
        SELECT c.seq, e.event_id, e.type, c.at, e.received_at, e.conflict, c.candidate_id, c.job_id, c.assessment_id,
          coalesce(i.invitation_id, c.invitation_id) AS invitation_id, c.status, c.state, c.result IS NOT NULL AS has_result
        FROM confirmations c JOIN events e ON e.seq = c.seq LEFT JOIN invites i ON i.id = e.invite_id
        ${conditions.join(" ")} ORDER BY c.seq DESC LIMIT @limit`)
      .all({ after: 0, ...query, unmatched: undefined })
      .reverse()
      .map((row) => ({
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
        hasResult: row.has_result === 1,
        isMatched: row.state !== "unmatched",
      }));
  };

  const addRefusal = db.prepare(`
    INSERT INTO refusals (source, minute, reason, n) VALUES (@source, @minute, @reason, @n)
    ON CONFLICT DO UPDATE SET n = n + excluded.n`);
  const dropOldRefusals = db.prepare(`
    DELETE FROM refusals WHERE source = @source AND minute < (SELECT minute FROM refusals
      WHERE source = @source ORDER BY minute DESC LIMIT 1 OFFSET ${REFUSALS_KEPT})`);
  const noteRefusals = transaction(
    db,
    (refusals: readonly Pick<Refusal, "source" | "reason" | "n">[], now: number) => {
      for (const refusal of refusals) {
        addRefusal.run({ ...refusal, minute: Math.floor(now / MINUTE_MS) });
        dropOldRefusals.run({ source: refusal.source });
      }
    },
  );
  const refusals = db.prepare<[string | null, string | null, number, number], Refusal>(`
    SELECT source, minute * ${MINUTE_MS} AS at, reason, n FROM refusals WHERE (? IS NULL OR source = ?) AND minute >= ?
    ORDER BY minute DESC, source DESC, reason DESC LIMIT ?`);

  const addTrial = db.prepare(
    "INSERT INTO trials (org, vendor, candidate_id) VALUES (@org, @vendor, @candidateId) ON CONFLICT DO NOTHING",
  );

  return {
    received,
    noteRefusals,
    refusals: (source: string | null, since: number, limit: number): Refusal[] =>
      refusals.all(source, source, Math.floor(since / MINUTE_MS), limit).reverse(),
    startTrial: transaction(db, (candidate: TrialCandidate): void => {
      addTrial.run(candidate);
    }),
  };
}

interface ReceivedRow {
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
  has_result: 0 | 1;
}
