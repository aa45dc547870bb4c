/** An invite that a stage asks JobCannon for. */
import type { Application, CatalogEntry } from "./catalog.ts";
import type { Environment } from "./connection.ts";

export interface InviteRequest extends Pick<Application, "applicationId" | "candidateId" | "jobId"> {
  id: number;
  org: string;
  vendor: string;
  environment: Environment;
  stage: string;
  /** As the stage asked when the candidate came to it. */
  entry: CatalogEntry;
  /** Ours: JobCannon names it with the invite, and it is the result's subject. */
  assessmentId: string;
  state: RequestState;
  askedAt: number;
  dueAt: number;
  tries: number;
  /** Why it is not sent, in one line that names nobody; null where nothing stands in its way. */
  reason: string | null;
  endedAt: number | null;
}

/**
 * `open`: to be sent. `by hand`: its stage leaves it to a person. `refused`: JobCannon said no. `sent`: JobCannon took it.
 * `done`: a person saw to it.
 */
export const REQUEST_STATES = ["open", "by hand", "refused", "sent", "done"] as const;
export type RequestState = (typeof REQUEST_STATES)[number];

/** Those that somebody has still to see to. */
export const WANTED: readonly RequestState[] = ["open", "by hand", "refused"];

/** How one try ended. */
export interface RequestAttempt {
  outcome: "sent" | "retry" | "refused";
  httpStatus: number | null;
  durationMs: number;
  reason: string | null;
}
