import { randomBytes } from "node:crypto";
import { type Application, type CatalogEntry, isReached, type StagePlace } from "../../core/catalog.ts";
import type { ConnectionName } from "../../core/connection.ts";
import type { InviteRequest } from "../../core/invite-request.ts";

/** What stages trigger, as rows, and the invites that are asked for. */

export interface EntryRow extends StagePlace {
  entry: string;
}

export function placedEntryOf({ entry, ...place }: EntryRow): StagePlace & { entry: CatalogEntry } {
  return { ...place, entry: entryOf(entry) };
}

export interface NewRequest
  extends ConnectionName,
    Pick<InviteRequest, "applicationId" | "candidateId" | "jobId" | "stage" | "assessmentId" | "state"> {
  test: string;
  /** As JSON. */
  entry: string;
}

/** What the stage that a candidate has come to triggers, each under an assessment id of its own. */
export function requestsFor(
  { org, vendor, environment }: ConnectionName,
  application: Application,
  entries: readonly (StagePlace & { entry: CatalogEntry })[],
): NewRequest[] {
  const { applicationId, candidateId, jobId } = application;
  return entries
    .filter(({ stage }) => isReached(stage, application))
    .map(({ stage, entry }) => ({
      org,
      vendor,
      environment,
      applicationId,
      candidateId,
      jobId,
      stage,
      test: entry.test,
      entry: JSON.stringify(entry),
      assessmentId: `jc_${randomBytes(12).toString("hex")}`,
      state: entry.trigger === "auto" ? "open" : "by hand",
    }));
}

function entryOf(json: string): CatalogEntry {
  return JSON.parse(json);
}

export interface RequestRow
  extends Pick<
    InviteRequest,
    "id" | "org" | "vendor" | "environment" | "stage" | "state" | "tries" | "reason"
  > {
  application_id: string;
  candidate_id: string;
  job_id: string;
  entry: string;
  assessment_id: string;
  asked_at: number;
  due_at: number;
  ended_at: number | null;
}

export function requestOf(row: RequestRow): InviteRequest {
  return {
    id: row.id,
    org: row.org,
    vendor: row.vendor,
    environment: row.environment,
    applicationId: row.application_id,
    candidateId: row.candidate_id,
    jobId: row.job_id,
    stage: row.stage,
    entry: entryOf(row.entry),
    assessmentId: row.assessment_id,
    state: row.state,
    askedAt: row.asked_at,
    dueAt: row.due_at,
    tries: row.tries,
    reason: row.reason,
    endedAt: row.ended_at,
  };
}
