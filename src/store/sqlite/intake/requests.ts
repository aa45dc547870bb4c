import type { Application, CatalogEntry, StagePlace } from "../../../core/catalog.ts";
import type { ConnectionName } from "../../../core/connection.ts";
import type { InviteRequest } from "../../../core/invite-request.ts";
import type { LoggedRequest, RequestAttemptQuery, RequestNote, RequestQuery } from "../../contract/store.ts";
import {
  type EntryRow,
  placedEntryOf,
  requestOf,
  type RequestRow,
  requestsFor,
} from "../../rows/requests.ts";
import type { Db } from "../file/db.ts";
import { transaction } from "../file/transaction.ts";

/** What stages trigger, and the invites that they ask for. */
export function createRequests(db: Db) {
  const entriesOf = createEntriesOf(db);
  const saveEntry = db.prepare(`
    INSERT INTO catalog (org, vendor, environment, job_id, stage, entry)
    VALUES (@org, @vendor, @environment, @jobId, @stage, @entry)
    ON CONFLICT DO UPDATE SET entry = excluded.entry`);
  const keepAttempt = db.prepare(`
    INSERT INTO request_attempts (request_id, org, at, outcome, http_status, duration_ms, reason)
    SELECT id, org, @now, @outcome, @httpStatus, @durationMs, @reason FROM invite_requests WHERE id = @id`);
  const note = db.prepare(`
    UPDATE invite_requests SET state = @state, reason = @reason, due_at = coalesce(@dueAt, due_at), tries = tries + @tried,
      ended_at = iif(@state IN ('sent', 'done'), @now, NULL)
    WHERE id = @id AND ended_at IS NULL`);

  return {
    catalogEntries: entriesOf,
    saveCatalogEntry: transaction(
      db,
      ({ org, vendor, environment }: ConnectionName, { jobId, stage }: StagePlace, entry: CatalogEntry) => {
        saveEntry.run({ org, vendor, environment, jobId, stage, entry: JSON.stringify(entry) });
      },
    ),
    inviteRequests: (query: RequestQuery): InviteRequest[] => {
      const conditions = [
        "SELECT * FROM invite_requests WHERE state IN (SELECT value FROM json_each(@states))",
        query.states.some((state) => state === "sent" || state === "done") ? "" : "AND ended_at IS NULL",
        query.org === undefined ? "" : "AND org = @org",
        query.dueBy === undefined ? "" : "AND due_at <= @dueBy",
        "ORDER BY id LIMIT @limit",
      ];
      const { org, dueBy, limit, states } = query;
      return db
        .prepare<object, RequestRow>(conditions.join(" "))
        .all({ org, dueBy, limit, states: JSON.stringify(states) })
        .map(requestOf);
    },
    noteRequest: transaction(
      db,
      (id: number, { attempt, state, dueAt, reason }: RequestNote, now: number) => {
        if (attempt) keepAttempt.run({ id, now, ...attempt });
        note.run({ id, now, state, reason, dueAt: dueAt ?? null, tried: Number(attempt !== undefined) });
      },
    ),
    requestAttempts: (query: RequestAttemptQuery): LoggedRequest[] => {
      const conditions = [
        "WHERE a.org = @org AND a.id > @after",
        query.since === undefined ? "" : "AND a.at >= @since",
        query.until === undefined ? "" : "AND a.at < @until",
      ];
      const { org, after = 0, since, until, limit } = query;
      return db
        .prepare<object, LoggedRequest>(`
          SELECT a.id, a.at, a.outcome, a.http_status AS httpStatus, a.duration_ms AS durationMs, a.reason,
            r.assessment_id AS assessmentId, r.candidate_id AS candidateId, r.test
          FROM request_attempts a JOIN invite_requests r ON r.id = a.request_id
          ${conditions.join(" ")} ORDER BY a.id DESC LIMIT @limit`)
        .all({ org, after, since, until, limit })
        .reverse();
    },
  };
}

function createEntriesOf(db: Db) {
  const ofPlace =
    "SELECT job_id AS jobId, stage, entry FROM catalog WHERE org = ? AND vendor = ? AND environment = ?";
  const all = db.prepare<[string, string, string], EntryRow>(`${ofPlace} ORDER BY job_id, stage`);
  const ofJob = db.prepare<[string, string, string, string], EntryRow>(
    `${ofPlace} AND job_id = ? ORDER BY stage`,
  );
  return ({ org, vendor, environment }: ConnectionName, jobId?: string) =>
    (jobId === undefined
      ? all.all(org, vendor, environment)
      : ofJob.all(org, vendor, environment, jobId)
    ).map(placedEntryOf);
}

/** Asks for what the stage that a candidate has come to triggers; once for an application and a test, ever. */
export function createAskForInvites(db: Db) {
  const entriesOf = createEntriesOf(db);
  const insert = db.prepare(`
    INSERT INTO invite_requests (org, vendor, environment, application_id, test, candidate_id, job_id, stage, entry,
      assessment_id, state, asked_at, due_at)
    VALUES (@org, @vendor, @environment, @applicationId, @test, @candidateId, @jobId, @stage, @entry,
      @assessmentId, @state, @now, @now)
    ON CONFLICT DO NOTHING`);
  // What a sandbox asks for is no matter of production's.
  const addTrial = db.prepare(
    "INSERT INTO trials (org, vendor, candidate_id) VALUES (@org, @vendor, @candidateId) ON CONFLICT DO NOTHING",
  );
  /** Within the caller's transaction. Returns how many. */
  return (of: ConnectionName, application: Application, now: number): number => {
    const { org, vendor, environment } = of;
    const { candidateId, jobId } = application;
    let asked = 0;
    for (const request of requestsFor(of, application, entriesOf(of, jobId)))
      asked += insert.run({ ...request, now }).changes;
    if (asked > 0 && environment === "sandbox") addTrial.run({ org, vendor, candidateId });
    return asked;
  };
}
