import type { CatalogEntry, StagePlace } from "../../core/catalog.ts";
import type { ConnectionName } from "../../core/connection.ts";
import type { InviteRequest, RequestAttempt, RequestState } from "../../core/invite-request.ts";

/** What stages trigger where the vendor has no catalogue, and the invites that JobCannon is asked for. */
export interface RequestVerbs {
  /** What the stages of a job trigger, or of all jobs. */
  catalogEntries(of: ConnectionName, jobId?: string): Promise<(StagePlace & { entry: CatalogEntry })[]>;
  saveCatalogEntry(of: ConnectionName, place: StagePlace, entry: CatalogEntry): Promise<void>;
  /** Oldest first: the first `limit`, of one org or all. */
  inviteRequests(query: RequestQuery): Promise<InviteRequest[]>;
  /** Keeps the try, if there was one, and what becomes of the request. One that has ended meanwhile stays as it is. */
  noteRequest(id: number, note: RequestNote, now: number): Promise<void>;
  /** The tries of an org's requests, oldest first: the last `limit` that fit. */
  requestAttempts(query: RequestAttemptQuery): Promise<LoggedRequest[]>;
}

export interface RequestQuery {
  org?: string;
  states: readonly RequestState[];
  /** Only those that are due then. */
  dueBy?: number;
  limit: number;
}

export interface RequestNote {
  attempt?: RequestAttempt;
  /** `open` also for one that is to be sent after all. */
  state: RequestState;
  dueAt?: number;
  reason: string | null;
}

export interface RequestAttemptQuery {
  org: string;
  since?: number;
  until?: number;
  /** Only those logged after this one. */
  after?: number;
  limit: number;
}

export interface LoggedRequest extends RequestAttempt, Pick<InviteRequest, "assessmentId" | "candidateId"> {
  id: number;
  at: number;
  test: string;
}
