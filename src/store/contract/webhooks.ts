import type { Environment } from "../../core/connection.ts";

/** Vendors' webhooks: what they said, what they left to be asked, what was refused. */
export interface WebhookVerbs {
  /** Vendors' words whose results we may lack, each waiting to hear which test it is about: the longest waiting first, from behind `after`. */
  questions(page: { after: number; limit: number }): Promise<Question[]>;
  /** Answers one: the invite learns the result of that test. `test` is null when the vendor does not know it. */
  nameTest(seq: number, test: string | null, now: number): Promise<void>;
  /** The webhooks of a vendor that were taken, oldest first: the last `limit` that fit. */
  received(query: ReceivedQuery): Promise<ReceivedWebhook[]>;
  /** Counts, by minute and reason, what was refused unstored. Nothing of its content is kept. */
  noteRefusals(refusals: readonly Pick<Refusal, "source" | "reason" | "n">[], now: number): Promise<void>;
  /** Of one source, or all; oldest first: the last `limit`. */
  refusals(source: string | null, since: number, limit: number): Promise<Refusal[]>;
  /**
   * From now on the invites of this candidate belong to a trial in the vendor's sandbox: they raise pushes for the
   * sandbox connection of that vendor, and for nobody in production.
   */
  startTrial(candidate: TrialCandidate): Promise<void>;
}

export interface Question {
  seq: number;
  vendor: string;
  org: string;
  environment: Environment;
  candidateId: string;
  assessmentId: string;
}

export interface ReceivedQuery {
  org: string;
  vendor: string;
  environment: Environment;
  /** Only those whose invite is not here yet. */
  unmatched?: boolean;
  candidateId?: string;
  /** Only what came after this one. */
  after?: number;
  limit: number;
}

export interface ReceivedWebhook {
  seq: number;
  eventId: string;
  type: string;
  at: number;
  receivedAt: number;
  /** The same id came with another body before. */
  conflict: boolean;
  candidateId: string;
  jobId: string | null;
  assessmentId: string;
  /** Of the invite it speaks of, if that is known. */
  invitationId: string | null;
  status: string;
  hasResult: boolean;
  isMatched: boolean;
}

export interface Refusal {
  source: string;
  /** The minute it came in. */
  at: number;
  /** In one line, with nothing of the body. */
  reason: string;
  n: number;
}

export interface TrialCandidate {
  org: string;
  vendor: string;
  candidateId: string;
}
