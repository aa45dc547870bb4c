import type { InviteStatus, Snapshot } from "./event.ts";

/** One JobCannon invitation as the newest snapshot tells it, plus what all snapshots together tell. */
export interface Invite extends Snapshot {
  /** Computed from the tests; `declaredStatus` is what the source said. */
  status: InviteStatus;
  declaredStatus: InviteStatus;
  /** Timestamp of the oldest snapshot seen, ms. */
  earliestAt: number;
  /** Hash of the newest snapshot's body: the last tie-breaker. */
  bodyHash: string;
  /** Whose result it is at a vendor, as an operator said; absent where nobody had to. */
  assigned?: Assigned;
}

/** A candidate of an applicant tracking system, on one of its jobs. */
export interface Assigned {
  vendor: string;
  candidateId: string;
  jobId: string;
}
