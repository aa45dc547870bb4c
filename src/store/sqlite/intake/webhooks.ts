import type { ReceivedQuery, ReceivedWebhook, Refusal, TrialCandidate } from "../../contract/store.ts";
import {
  MINUTE_MS,
  RECEIVED_COLUMNS,
  receivedOf,
  type ReceivedRow,
  REFUSALS_KEPT,
} from "../../rows/webhooks.ts";
import type { Db } from "../file/db.ts";
import { transaction } from "../file/transaction.ts";

export function createWebhooks(db: Db) {
  const received = (query: ReceivedQuery): ReceivedWebhook[] => {
    const conditions = [
      "WHERE c.org = @org AND c.vendor = @vendor AND c.environment = @environment AND c.seq > @after",
      query.unmatched ? "AND c.state = 'unmatched'" : "",
      query.candidateId === undefined ? "" : "AND c.candidate_id = @candidateId",
      query.invitationId === undefined
        ? ""
        : `AND (c.seq IN (SELECT seq FROM events WHERE invite_id = (SELECT id FROM invites WHERE org = @org AND invitation_id = @invitationId))
            OR (c.state = 'unmatched' AND c.invitation_id = @invitationId))`,
    ];
    return db
      .prepare<object, ReceivedRow>(`
        SELECT ${RECEIVED_COLUMNS}
        FROM confirmations c JOIN events e ON e.seq = c.seq LEFT JOIN invites i ON i.id = e.invite_id
        ${conditions.join(" ")} ORDER BY c.seq DESC LIMIT @limit`)
      .all({ after: 0, ...query, unmatched: undefined })
      .reverse()
      .map(receivedOf);
  };

  const addRefusal = db.prepare(`
    INSERT INTO refusals (source, minute, reason, kind, n, settled) VALUES (@source, @minute, @reason, @kind, @n, @settled)
    ON CONFLICT DO UPDATE SET kind = excluded.kind, n = n + excluded.n, settled = settled + excluded.settled`);
  const dropOldRefusals = db.prepare(`
    DELETE FROM refusals WHERE source = @source AND minute < (SELECT minute FROM refusals
      WHERE source = @source ORDER BY minute DESC LIMIT 1 OFFSET ${REFUSALS_KEPT})`);
  const noteRefusals = transaction(db, (refusals: readonly Omit<Refusal, "at">[], now: number) => {
    for (const refusal of refusals) {
      addRefusal.run({ ...refusal, minute: Math.floor(now / MINUTE_MS) });
      dropOldRefusals.run({ source: refusal.source });
    }
  });
  const refusals = db.prepare<[string | null, string | null, number, number], Refusal>(`
    SELECT source, minute * ${MINUTE_MS} AS at, reason, kind, n, settled FROM refusals WHERE (? IS NULL OR source = ?) AND minute >= ?
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
