import type { Projection } from "../../core/push.ts";
import type { Secret } from "../../shared/secret.ts";
import type { CatalogEntry, Stage, StagePlace } from "../../core/catalog.ts";
import type { Access } from "./access.ts";

export type { CatalogEntry, StagePlace } from "../../core/catalog.ts";

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
  /**
   * Switches a subscription on; meanwhile the vendor greets our receiver, which answers while it knows of it. Absent where a
   * new one is on.
   */
  activate?(access: Access, id: string): Promise<void>;
  /** One more secret for the same subscription; absent where only a new one brings another. */
  makeSecret?(access: Access, id: string): Promise<Secret>;
  /** What was sent to a subscription since then and not taken; absent where the vendor does not tell. */
  missed?(access: Access, of: { id: string; since: number }): AsyncIterable<MissedEvent>;
  /** What may have changed since then, as events, for when there was no subscription. */
  changedSince?(access: Access, since: number): AsyncIterable<MissedEvent>;
  /** What to do about a subscription of ours that the vendor suspended; absent where people look after it. */
  onSuspension?: "reactivate" | "renew" | "tell";

  /** The vendor's own, or the stages that ours is kept for. */
  catalog: VendorCatalog | KeptCatalog;
  /** Who is asked, with an address; absent where the vendor itself asks them. */
  person?(access: Access, candidateId: string): Promise<Person>;

  /** The parts of a trial with a made-up candidate. */
  createCandidate(
    access: Access,
    person: { firstName: string; lastName: string; email: string; jobId?: string },
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
  /**
   * What the application that a result went to shows of these fields, by their names in projections: blank for one that is
   * not there, nothing for what no call tells. Null where nobody there is meant. Absent where a scorecard shows them.
   */
  values?(
    access: Access,
    of: { sent: Projection; fields: readonly string[] },
  ): Promise<Record<string, string> | null>;
}

/** Kept by the vendor, which asks for the assessments itself. */
export interface VendorCatalog {
  kept: "there";
  /** What the stages of a job trigger. */
  list(access: Access, jobId: string): Promise<(CatalogEntry & { stage: string })[]>;
  /** Null when the stage triggers nothing. */
  entry(access: Access, place: StagePlace): Promise<CatalogEntry | null>;
  /** Null where the vendor knows no such job, or no such stage of it. */
  set(access: Access, place: StagePlace, entry: CatalogEntry): Promise<CatalogEntry | null>;
}

/** Kept by us: the vendor has none, and tells of moves alone. */
export interface KeptCatalog {
  kept: "here";
  /** The steps of the company's hiring processes. */
  stages(access: Access): Promise<Stage[]>;
  hasJob(access: Access, jobId: string): Promise<boolean>;
}

export interface Person {
  /** Null where the vendor knows none. */
  email: string | null;
  firstName: string | null;
  lastName: string | null;
}

/** An event that the vendor told of when it was asked. */
export interface MissedEvent {
  eventId: string;
  /** What its headers told, as `Source.claim` names it. */
  headers: Readonly<Record<string, string>>;
  body: string;
}

export interface Subscription {
  id: string;
  event: string;
  targetUrl: string;
  isActive: boolean;
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
