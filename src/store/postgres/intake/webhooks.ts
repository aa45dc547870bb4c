import type { Refusal, Store } from "../../contract/store.ts";
import {
  MINUTE_MS,
  RECEIVED_COLUMNS,
  receivedOf,
  type ReceivedRow,
  REFUSALS_KEPT,
} from "../../rows/webhooks.ts";
import type { Db } from "../../../postgres/sql.ts";

/** Webhooks of vendors as people see them, and what was refused. */
export function createWebhooks(db: Db): Pick<Store, "received" | "noteRefusals" | "refusals" | "startTrial"> {
  return {
    received: async (query) => {
      const { org, vendor, environment, unmatched, candidateId, invitationId, after = 0, limit } = query;
      const rows = await db.read.all<ReceivedRow>(
        `SELECT ${RECEIVED_COLUMNS}
          FROM jc.confirmations c JOIN jc.events e ON e.seq = c.seq LEFT JOIN jc.invites i ON i.id = e.invite_id
          WHERE c.org = $1 AND c.vendor = $2 AND c.environment = $3 AND c.seq > $4 ${unmatched ? "AND c.state = 'unmatched'" : ""}
            AND ($5::text IS NULL OR c.candidate_id = $5)
            AND ($7::text IS NULL OR (c.state = 'unmatched' AND c.invitation_id = $7)
              OR c.seq IN (SELECT seq FROM jc.events WHERE invite_id = (SELECT id FROM jc.invites WHERE org = $1 AND invitation_id = $7)))
          ORDER BY c.seq DESC LIMIT $6`,
        [org, vendor, environment, after, candidateId ?? null, limit, invitationId ?? null],
      );
      return rows.toReversed().map(receivedOf);
    },
    noteRefusals: (refusals, now) =>
      db.write({ keys: ["refusals"] }, async (tx) => {
        const sources = refusals.map(({ source }) => source);
        await tx.run(
          `INSERT INTO jc.refusals AS r (source, minute, reason, kind, n, settled)
            SELECT source, $6::bigint, reason, max(kind), sum(n), sum(settled)
            FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[]) AS t (source, reason, kind, n, settled)
            GROUP BY source, reason
            ON CONFLICT (source, minute, reason) DO UPDATE
              SET kind = excluded.kind, n = r.n + excluded.n, settled = r.settled + excluded.settled`,
          [
            sources,
            refusals.map(({ reason }) => reason),
            refusals.map(({ kind }) => kind),
            refusals.map(({ n }) => n),
            refusals.map(({ settled }) => settled),
            Math.floor(now / MINUTE_MS),
          ],
        );
        await tx.run(
          `DELETE FROM jc.refusals r USING unnest($1::text[]) AS t (source)
            WHERE r.source = t.source AND r.minute < (SELECT minute FROM jc.refusals
              WHERE source = t.source ORDER BY minute DESC LIMIT 1 OFFSET ${REFUSALS_KEPT})`,
          [[...new Set(sources)]],
        );
      }),
    refusals: async (source, since, limit) => {
      const rows = await db.read.all<Refusal>(
        `SELECT source, minute * ${MINUTE_MS} AS at, reason, kind, n, settled FROM jc.refusals
          WHERE ($1::text IS NULL OR source = $1) AND minute >= $2
          ORDER BY minute DESC, source DESC, reason DESC LIMIT $3`,
        [source, Math.floor(since / MINUTE_MS), limit],
      );
      return rows.toReversed();
    },
    // With the org's lock: what is folded after it belongs to the trial.
    startTrial: ({ org, vendor, candidateId }) =>
      db.write({ orgs: [org] }, async (tx) => {
        await tx.run(
          "INSERT INTO jc.trials (org, vendor, candidate_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
          [org, vendor, candidateId],
        );
      }),
  };
}
