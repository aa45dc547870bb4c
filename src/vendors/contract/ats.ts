import type { Projection } from "../../core/push.ts";
import type { Secret } from "../../shared/secret.ts";
import type { Access } from "./access.ts";

/**
 * An applicant tracking system (ATS): candidates take assessments that its jobs ask for, and it tells by webhook what
 * became of them. Every call throws `VENDOR_*` and what `token()` throws.
 */
export interface Ats {
  /** The path on the public listener that its webhooks are sent to. */
  webhookPath: string;
  /** Name under which the secrets of its webhooks are kept. */
  webhookSecretName: string;
  /** The subscriptions of the account to the events we need, whoever made them. */
  subscriptions(access: Access): Promise<Subscription[]>;
  /** The secret is told this once. */
  subscribe(access: Access, targetUrl: string): Promise<{ subscription: Subscription; secret: Secret }>;
  /** False where it was gone already. */
  unsubscribe(access: Access, id: string): Promise<boolean>;

  /** What the stages of a job trigger. */
  catalog(access: Access, jobId: string): Promise<(CatalogEntry & { stage: string })[]>;
  /** Null when the stage triggers nothing. */
  catalogEntry(access: Access, place: StagePlace): Promise<CatalogEntry | null>;
  setCatalogEntry(access: Access, place: StagePlace, entry: CatalogEntry): Promise<CatalogEntry>;

  /** The parts of a trial with a made-up candidate. */
  createCandidate(
    access: Access,
    person: { firstName: string; lastName: string; email: string },
  ): Promise<string>;
  removeCandidate(access: Access, candidateId: string): Promise<void>;
  /** Puts the candidate onto the job, at that stage. */
  advance(access: Access, of: { candidateId: string } & StagePlace): Promise<void>;
  triggerAssessment(
    access: Access,
    of: { candidateId: string; jobId: string; test: string },
  ): Promise<Assessment>;
  assessments(access: Access, candidateId: string): Promise<Assessment[]>;
  scorecard(access: Access, candidateId: string): Promise<ScorecardEntry[]>;
  /** What the entry shows otherwise than it was sent, by names that people there know. Pure. */
  differences(entry: ScorecardEntry, sent: Projection): string[];
}

export interface Subscription {
  id: string;
  event: string;
  targetUrl: string;
  isActive: boolean;
}

export interface StagePlace {
  jobId: string;
  stage: string;
}

/** What a job's stage triggers (guide, step 4). */
export interface CatalogEntry {
  test: string;
  required: boolean;
  trigger: "auto" | "manual";
  dueDays: number;
  emailTemplate: "branded" | "default";
}

export interface Assessment {
  id: string;
  jobId: string;
  test: string;
  status: string;
  /** Where the candidate takes it. */
  link: string;
}

export interface ScorecardEntry {
  assessmentId: string;
  title: string;
  summary: string | null;
  resultUrl: string | null;
  fields: { fieldId: string; value: string }[];
}
