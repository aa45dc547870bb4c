import type { Environment } from "../../core/connection.ts";
import type { RefusalKind } from "../../core/advice/refused-sources.ts";
import type { Finding, Inquiry } from "../../core/event.ts";

/** Vendors' webhooks: what they said, what they left to be asked, what was refused. */
export interface WebhookVerbs {
  /**
   * What vendors are still to be asked about events: of those that only name what happened, and of confirmations whose
   * result we may lack. The longest waiting first, from behind `after`.
   */
  questions(page: QuestionPage): Promise<Question[]>;
  /**
   * Ends one: the event is folded with what was found, or asked about again later. Nothing happens where it was ended before.
   * A found snapshot is folded as if the event had carried it.
   */
  settleQuestion(seq: number, end: QuestionEnd, now: number): Promise<void>;
  /** The webhooks of a vendor that were taken, oldest first: the last `limit` that fit. */
  received(query: ReceivedQuery): Promise<ReceivedWebhook[]>;
  /** Counts, by minute and reason, what was refused unstored. Nothing of its content is kept. */
  noteRefusals(refusals: readonly Omit<Refusal, "at">[], now: number): Promise<void>;
  /** Of one source, or all; oldest first: the last `limit`. */
  refusals(source: string | null, since: number, limit: number): Promise<Refusal[]>;
  /**
   * Notes when a source was taken from or refused last; what a note leaves out stays. Where it was taken from, all that is
   * counted of its refusals by then is settled.
   */
  noteSources(notes: readonly SourceNote[]): Promise<void>;
  /** Those that were noted. */
  sources(): Promise<SourceStanding[]>;
  /** The events of a source about an org's newest invites, oldest first: the last `limit`. */
  taken(query: TakenQuery): Promise<TakenEvent[]>;
  /** Writes as much as the largest event and takes it back: throws where that could not be stored now. */
  tryWriting(): Promise<void>;
  /**
   * From now on the invites of this candidate belong to a trial in the vendor's sandbox: they raise pushes for the
   * sandbox connection of that vendor, and for nobody in production.
   */
  startTrial(candidate: TrialCandidate): Promise<void>;
}

export interface Question extends Inquiry {
  /** Of its event. */
  seq: number;
  /** When that happened, as its source says, ms. */
  at: number;
  /** Failed tries so far. */
  tries: number;
}

export interface QuestionPage {
  /** Only what may be asked then; all where it is absent. */
  dueBy?: number;
  /** Only what goes to the accounts of this org, or to one of them. */
  of?: Pick<Inquiry, "org"> & Partial<Pick<Inquiry, "vendor" | "environment">>;
  after: number;
  limit: number;
}

export type QuestionEnd =
  | Finding
  /** Not now. `isCounted`: the question itself failed, and not the way to its vendor. The reason names nobody. */
  | { kind: "later"; dueAt: number; isCounted: boolean; reason: string };

export interface ReceivedQuery {
  org: string;
  vendor: string;
  environment: Environment;
  /** Only those whose invite is not here yet. */
  unmatched?: boolean;
  candidateId?: string;
  /** Only what speaks of this invite. */
  invitationId?: string;
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
  /** As the vendor writes it; blank where it said none. */
  status: string;
  /** Only then does it confirm or complete anything. */
  isCompletion: boolean;
  hasResult: boolean;
  isMatched: boolean;
}

export interface Refusal {
  source: string;
  /** The minute it came in. */
  at: number;
  /** In one line, with nothing of the body. */
  reason: string;
  /** Null where an older version counted it. */
  kind: RefusalKind | null;
  n: number;
  /** Of them, how many came before the source was last taken from. */
  settled: number;
}

/** Points in time, ms since the epoch. */
export interface SourceNote {
  source: string;
  takenAt?: number;
  refusedAt?: number;
}

/** Null where it never was. */
export interface SourceStanding {
  source: string;
  takenAt: number | null;
  refusedAt: number | null;
}

export interface TakenQuery {
  source: string;
  org: string;
  /** Only of this invite, however old it is. */
  invitationId?: string;
  limit: number;
}

export interface TakenEvent {
  eventId: string;
  type: string;
  at: number;
  receivedAt: number;
  /** The same id came with another body before. */
  conflict: boolean;
  invitationId: string;
}

export interface TrialCandidate {
  org: string;
  vendor: string;
  candidateId: string;
}
