import type { Application, CatalogEntry, StagePlace } from "../../../core/catalog.ts";
import type { ConnectionName } from "../../../core/connection.ts";
import type { LoggedRequest, Store } from "../../contract/store.ts";
import {
  type EntryRow,
  placedEntryOf,
  requestOf,
  type RequestRow,
  requestsFor,
} from "../../rows/requests.ts";
import type { Db, Sql } from "../../../postgres/sql.ts";

type RequestVerb =
  | "catalogEntries"
  | "saveCatalogEntry"
  | "inviteRequests"
  | "noteRequest"
  | "requestAttempts";

/** What stages trigger, and the invites that they ask for. */
export function createRequests(db: Db): Pick<Store, RequestVerb> {
  return {
    catalogEntries: (of, jobId) => entriesOf(db.read, of, jobId),
    saveCatalogEntry: ({ org, vendor, environment }, { jobId, stage }, entry) =>
      db.write({ orgs: [org] }, async (tx) => {
        await tx.run(
          `INSERT INTO jc.catalog (org, vendor, environment, job_id, stage, entry) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (org, vendor, environment, job_id, stage) DO UPDATE SET entry = excluded.entry`,
          [org, vendor, environment, jobId, stage, JSON.stringify(entry)],
        );
      }),
    inviteRequests: async ({ states, org, dueBy, limit }) => {
      const open = states.some((state) => state === "sent" || state === "done") ? "" : "AND ended_at IS NULL";
      const rows = await db.read.all<RequestRow>(
        `SELECT * FROM jc.invite_requests WHERE state = ANY ($1::text[]) ${open}
          AND ($2::text IS NULL OR org = $2) AND ($3::bigint IS NULL OR due_at <= $3) ORDER BY id LIMIT $4`,
        [states, org ?? null, dueBy ?? null, limit],
      );
      return rows.map(requestOf);
    },
    noteRequest: (id, { attempt, state, dueAt, reason }, now) =>
      // Its row alone: what an invite's coming ends meanwhile stays ended.
      db.write({}, async (tx) => {
        if (attempt)
          await tx.run(
            `INSERT INTO jc.request_attempts (request_id, org, at, outcome, http_status, duration_ms, reason)
              SELECT id, org, $2, $3, $4, $5, $6 FROM jc.invite_requests WHERE id = $1`,
            [id, now, attempt.outcome, attempt.httpStatus, attempt.durationMs, attempt.reason],
          );
        await tx.run(
          `UPDATE jc.invite_requests SET state = $2, reason = $3, due_at = coalesce($4::bigint, due_at), tries = tries + $5,
            ended_at = CASE WHEN $2 IN ('sent', 'done') THEN $6::bigint END
            WHERE id = $1 AND ended_at IS NULL`,
          [id, state, reason, dueAt ?? null, Number(attempt !== undefined), now],
        );
      }),
    requestAttempts: async ({ org, after = 0, since, until, limit }) => {
      const rows = await db.read.all<LoggedRequest>(
        `SELECT a.id, a.at, a.outcome, a.http_status AS "httpStatus", a.duration_ms AS "durationMs", a.reason,
            r.assessment_id AS "assessmentId", r.candidate_id AS "candidateId", r.test
          FROM jc.request_attempts a JOIN jc.invite_requests r ON r.id = a.request_id
          WHERE a.org = $1 AND a.id > $2 AND ($3::bigint IS NULL OR a.at >= $3) AND ($4::bigint IS NULL OR a.at < $4)
          ORDER BY a.id DESC LIMIT $5`,
        [org, after, since ?? null, until ?? null, limit],
      );
      return rows.toReversed();
    },
  };
}

async function entriesOf(
  tx: Sql,
  { org, vendor, environment }: ConnectionName,
  jobId?: string,
): Promise<(StagePlace & { entry: CatalogEntry })[]> {
  const rows = await tx.all<EntryRow>(
    `SELECT job_id AS "jobId", stage, entry FROM jc.catalog
      WHERE org = $1 AND vendor = $2 AND environment = $3 AND ($4::text IS NULL OR job_id = $4) ORDER BY job_id, stage`,
    [org, vendor, environment, jobId ?? null],
  );
  return rows.map(placedEntryOf);
}

/**
 * Asks for what the stage that a candidate has come to triggers; once for an application and a test, ever. Within the caller's
 * transaction, which has the org. Returns how many.
 */
export async function askForInvites(
  tx: Sql,
  of: ConnectionName,
  application: Application,
  now: number,
): Promise<number> {
  const requests = requestsFor(of, application, await entriesOf(tx, of, application.jobId));
  const asked = await tx.run(
    `INSERT INTO jc.invite_requests (org, vendor, environment, application_id, test, candidate_id, job_id, stage, entry,
        assessment_id, state, asked_at, due_at)
      SELECT r->>'org', r->>'vendor', r->>'environment', r->>'applicationId', r->>'test', r->>'candidateId', r->>'jobId',
        r->>'stage', r->>'entry', r->>'assessmentId', r->>'state', $2, $2 FROM json_array_elements($1::json) AS r
      ON CONFLICT DO NOTHING`,
    [JSON.stringify(requests), now],
  );
  // What a sandbox asks for is no matter of production's.
  if (asked > 0 && of.environment === "sandbox")
    await tx.run(
      "INSERT INTO jc.trials (org, vendor, candidate_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
      [of.org, of.vendor, application.candidateId],
    );
  return asked;
}
