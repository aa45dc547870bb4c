import type { ReadVerbs } from "../../contract/reads.ts";
import { type ReceivedWebhookRow, receivedWebhookOf } from "../../rows/received-webhooks.ts";
import { named } from "../server/named.ts";
import type { Db } from "../../../postgres/sql.ts";

/** Webhooks visited for one page. */
const LOOKED_AT = 5_000;

const IN_WINDOW =
  "FROM jc.confirmations WHERE org = @org AND vendor = @vendor AND seq < @before ORDER BY seq DESC";

/** The webhooks of a vendor that were taken, newest first, page by page; no page looks at more than so many. */
export function createWebhookLog(db: Db): Pick<ReadVerbs, "webhookLog"> {
  return {
    webhookLog: async ({ org, vendor, environment, unmatched, since, limit, ...query }) => {
      const before = query.before ?? Number.MAX_SAFE_INTEGER;
      const values = { org, vendor, environment, before, since, limit };
      const conditions = [
        "WHERE c.environment = @environment",
        unmatched ? "AND c.state = 'unmatched'" : "",
        since === undefined ? "" : "AND e.received_at >= @since",
      ];
      const rows = await db.read.all<ReceivedWebhookRow>(
        ...named(
          `SELECT c.seq, e.event_id AS "eventId", e.type, c.at, e.received_at AS "receivedAt", e.conflict,
              c.candidate_id AS "candidateId", c.job_id AS "jobId", c.assessment_id AS "assessmentId",
              coalesce(i.invitation_id, c.invitation_id) AS "invitationId", c.status, c.state, (c.result IS NOT NULL)::integer AS "hasResult"
            FROM (SELECT * ${IN_WINDOW} LIMIT ${LOOKED_AT}) AS c
              JOIN jc.events e ON e.seq = c.seq LEFT JOIN jc.invites i ON i.id = e.invite_id
            ${conditions.join(" ")} ORDER BY c.seq DESC LIMIT @limit`,
          values,
        ),
      );
      const webhooks = rows.map(receivedWebhookOf);
      if (webhooks.length === limit) return { webhooks, next: webhooks.at(-1)?.seq ?? null };
      const behind = await db.read.get<{ seq: number }>(
        ...named(`SELECT seq ${IN_WINDOW} LIMIT 1 OFFSET ${LOOKED_AT - 1}`, values),
      );
      return { webhooks, next: behind?.seq ?? null };
    },
  };
}
