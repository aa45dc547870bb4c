import type { Connection, Environment } from "../../core/connection.ts";
import type { Consent } from "../../core/consent.ts";
import type { RateWindow } from "../../core/delivery/rate-window.ts";
import type { Inquiry, InviteStatus } from "../../core/event.ts";
import type { Invite } from "../../core/invite.ts";
import type {
  HeldCause,
  MappingWarning,
  Projection,
  PushState,
  Rejection,
  StuckCounts,
} from "../../core/push.ts";
import type { NewAttempt } from "./delivery.ts";
import type { ReceivedWebhook } from "./webhooks.ts";

/** What people look at. */
export interface ReadVerbs {
  /** Newest first. */
  invites(query: InviteQuery): Promise<InviteSummary[]>;
  /** How many fit, counted up to `atMost`. */
  countInvites(query: Omit<InviteQuery, "limit">, atMost: number): Promise<number>;
  /** One invite with its events, pushes and attempts, each in the order they came; null when unknown. */
  invite(org: string, invitationId: string): Promise<InviteHistory | null>;
  /**
   * What stands in one org, or in all (`null`), in numbers. Its cost grows with what is stuck and with what is held, not
   * with the log.
   */
  overview(org: string | null, now: number): Promise<Overview>;
  /** What monitoring asks for again and again. Its cost grows with the number of connections, and with nothing else. */
  figures(query: FiguresQuery): Promise<Figures>;
  /** Every org that has a connection, an invite, had a link for consent or left a question, by name. */
  orgs(): Promise<string[]>;
  /** One page of the tries at a connection, newest first. However few fit, its cost has a limit of its own. */
  deliveryLog(query: DeliveryLogQuery): Promise<DeliveryLogPage>;
  /** The same of the webhooks of a vendor that were taken. */
  webhookLog(query: WebhookLogQuery): Promise<WebhookLogPage>;
  /** The delivery log, oldest first: the last `limit` attempts that fit. */
  attempts(query: AttemptQuery): Promise<AttemptPage>;
  /** How many fit, counted up to `atMost`. */
  countAttempts(query: Omit<AttemptQuery, "limit">, atMost: number): Promise<number>;
  /** What fits, in numbers. Its cost grows with the attempts of that time. */
  attemptSums(query: Omit<AttemptQuery, "limit">): Promise<AttemptSum[]>;
}

export interface InviteQuery {
  org: string;
  status?: InviteStatus;
  email?: string;
  /** The vendor's id of the assessment that asked for it. */
  assessmentId?: string;
  /** The vendor whose assessment asked for it. */
  askedBy?: string;
  /** By its newest snapshot's timestamp, ms. */
  since?: number;
  /** Exclusive. */
  until?: number;
  limit: number;
}

export interface InviteSummary {
  invite: Invite;
  /** Per destination: has it what the invite now says? */
  pushes: (PushSummary & { delivered: boolean })[];
}

export interface InviteHistory {
  invite: Invite;
  events: {
    source: string;
    eventId: string;
    type: string;
    at: number;
    receivedAt: number;
    conflict: boolean;
    /** What a vendor's webhook says of its assessment, as EXPIRED; null for any other event. */
    told: string | null;
  }[];
  pushes: (PushSummary & { delivered: boolean })[];
  attempts: (Attempt & { environment: Environment })[];
  /** From this version on a push carries what the invite now says. */
  stateVersion: number;
}

/** The vendor's record that a subject is together with others. */
export interface SharedRecord {
  record: string;
  /** The others. */
  subjects: string[];
}

export interface PushSummary {
  vendor: string;
  environment: Environment;
  subject: string;
  state: PushState;
  heldCause: HeldCause | null;
  version: number;
  deliveredVersion: number;
  pendingSince: number | null;
  dueAt: number | null;
  /** What was last delivered or rejected. */
  projection: Projection | null;
  rejection: Rejection | null;
  warnings: MappingWarning[];
  /** The vendor's own id of the record; null while nobody knows it. */
  record: string | null;
  /** Told of one invite, where there is any. */
  shared?: SharedRecord;
}

export interface Overview {
  /** Of the whole log, whatever the org: an ignored event names none. */
  events: { total: number; unmatched: number; ignored: number; conflicts: number };
  /** Every org that has a connection, an invite, or had a link for consent, whichever is asked about. */
  orgs: string[];
  /** Of the org that is asked about, as is all that follows. */
  invites: number;
  connections: ConnectionCounts[];
  /** What vendors are still to be asked about its events, by account. */
  questions: QuestionCounts[];
  /** Links that an admin may still answer. */
  consents: (Pick<Consent, "org" | "vendor" | "environment" | "expiresAt"> & {
    /** When an answer to it was refused last, and why; null where none was. */
    refusedAt: number | null;
    refusal: string | null;
  })[];
  /** What `purge` removed within 30 days, and on which day last; null where it was nothing. */
  removed: { invites: number; rejected: number; lastAt: number } | null;
  /** How many people were erased, and how many later events of theirs were refused within 30 days. */
  erased: { people: number; refused: number };
}

export interface ConnectionCounts {
  connection: Connection;
  pushes: PushCounts;
  /** What is undelivered for more than 30 minutes. */
  stuck: StuckCounts;
  /** Held since the vendor's people deleted the record: it comes back on demand alone. */
  gone: number;
}

export interface QuestionCounts extends Pick<Inquiry, "org" | "vendor" | "environment"> {
  n: number;
  /** When the longest waiting one came in, ms, and why it was not answered yet; null where it was not tried. */
  since: number;
  reason: string | null;
}

export interface PushCounts {
  pending: number;
  /** With those that were removed since. */
  delivered: number;
  rejected: number;
  held: number;
}

export interface FiguresQuery {
  /** By the monotonic clock, as `takeCall` has it. */
  now: number;
  /** The rate windows to look into. */
  windows: readonly Pick<RateWindow, "key" | "windowMs">[];
}

export interface Figures {
  /** Where there are none of a state, it is left out. */
  pushes: { connectionId: number; state: PushState; n: number }[];
  /** Of those that are pending: since when the longest waiting one is undelivered, ms. */
  oldestPending: { connectionId: number; since: number }[];
  /** Slots that are not free, in the order of the windows that were asked for. */
  calls: number[];
}

export interface AttemptQuery {
  org: string;
  vendor?: string;
  outcome?: NewAttempt["outcome"];
  email?: string;
  /** Tries of all that this invite is told in: a contact's are those of its other invites, too. */
  invitationId?: string;
  since?: number;
  until?: number;
  /** Only attempts logged after this one. */
  after?: number;
  limit: number;
}

/** All tries that ended so at one vendor. */
export interface AttemptSum {
  vendor: string;
  environment: Environment;
  outcome: NewAttempt["outcome"];
  attempts: number;
  /** Those whose last try of that time it was: each counts once, by what became of it. */
  subjects: number;
  firstAt: number;
  lastAt: number;
}

export interface DeliveryLogQuery {
  connectionId: number;
  outcome?: NewAttempt["outcome"];
  /** Only those of this invite's subject. */
  invitationId?: string;
  since?: number;
  /** Where the page before ended. */
  before?: number;
  limit: number;
}

export interface DeliveryLogPage {
  attempts: LoggedAttempt[];
  /** For the next page, which may hold none either; null at the end. */
  next: number | null;
}

export interface WebhookLogQuery {
  org: string;
  vendor: string;
  environment: Environment;
  /** Only those whose invite is not here yet. */
  unmatched?: boolean;
  since?: number;
  before?: number;
  limit: number;
}

export interface WebhookLogPage {
  webhooks: ReceivedWebhook[];
  next: number | null;
}

export interface Attempt extends NewAttempt {
  at: number;
  version: number;
  vendor: string;
}

export interface AttemptPage {
  attempts: LoggedAttempt[];
  /** The id of the newest attempt, whatever its org; 0 when there is none. Whatever comes later has a greater one. */
  newest: number;
}

export interface LoggedAttempt extends Attempt {
  id: number;
  subject: string;
  /** How its push stands now, and what keeps it back. */
  pushState: PushState;
  heldCause: HeldCause | null;
  /** Of the subject's newest invite, as it stands now: what tells apart records whose addresses are masked. */
  invitationId: string | null;
}
