import type { WebhookLogPage, WebhookLogQuery } from "../../contract/store.ts";
import { type ReceivedWebhookRow, receivedWebhookOf } from "../../rows/received-webhooks.ts";
import type { Db } from "../file/db.ts";

/** Webhooks visited for one page. */
const LOOKED_AT = 5_000;

/** The webhooks of a vendor that were taken, newest first, page by page; no page looks at more than so many. */
export function createWebhookLog(db: Db) {
  const behindWindow = db
    .prepare<object, number>(`
      SELECT seq FROM confirmations WHERE org = @org AND vendor = @vendor AND seq < @before
      ORDER BY seq DESC LIMIT 1 OFFSET ${LOOKED_AT - 1}`)
    .pluck();

  return (query: WebhookLogQuery): WebhookLogPage => {
    const { org, vendor, environment, unmatched, since, limit } = query;
    const before = query.before ?? Number.MAX_SAFE_INTEGER;
    const conditions = [
      "WHERE c.environment = @environment",
      unmatched ? "AND c.state = 'unmatched'" : "",
      since === undefined ? "" : "AND e.received_at >= @since",
    ];
    const values = { org, vendor, environment, before, since, limit };
    const webhooks = db
      .prepare<object, ReceivedWebhookRow>(`
        SELECT c.seq, e.event_id AS eventId, e.type, c.at, e.received_at AS receivedAt, e.conflict, c.candidate_id AS candidateId,
          c.job_id AS jobId, c.assessment_id AS assessmentId, coalesce(i.invitation_id, c.invitation_id) AS invitationId,
          c.status, c.state, c.result IS NOT NULL AS hasResult
        FROM (SELECT * FROM confirmations WHERE org = @org AND vendor = @vendor AND seq < @before
            ORDER BY seq DESC LIMIT ${LOOKED_AT}) c
          CROSS JOIN events e ON e.seq = c.seq LEFT JOIN invites i ON i.id = e.invite_id
        ${conditions.join(" ")} ORDER BY c.seq DESC LIMIT @limit`)
      .all(values)
      .map(receivedWebhookOf);
    const next =
      webhooks.length === limit
        ? (webhooks.at(-1)?.seq ?? null)
        : (behindWindow.get({ org, vendor, before }) ?? null);
    return { webhooks, next };
  };
}
