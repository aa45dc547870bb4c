import type { Connection, Environment } from "../../core/connection.ts";
import type { Consent } from "../../core/consent.ts";
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

/** What people look at. */
export interface ReadVerbs {
  /** Newest first. */
  invites(query: InviteQuery): Promise<InviteSummary[]>;
  /** One invite with its events, pushes and attempts, each in the order they came; null when unknown. */
  invite(org: string, invitationId: string): Promise<InviteHistory | null>;
  /** Counts for `status`; cost does not grow with the log. */
  overview(org: string, now: number): Promise<Overview>;
  /** What of a connection is undelivered for more than 30 minutes. Its cost grows with what is, and with what is held. */
  stuck(connectionId: number, now: number): Promise<StuckCounts>;
  /** Those that have a connection, an invite, or had a link for consent; cost does not grow with the log. */
  orgs(): Promise<string[]>;
  /** The delivery log, oldest first: the last `limit` attempts that fit. */
  attempts(query: AttemptQuery): Promise<LoggedAttempt[]>;
  /** The id of the newest attempt, whatever its org; 0 when there is none. Whatever comes later has a greater one. */
  lastAttempt(): Promise<number>;
}

export interface InviteQuery {
  org: string;
  status?: InviteStatus;
  email?: string;
  /** The vendor's id of the assessment that asked for it. */
  assessmentId?: string;
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
  }[];
  pushes: (PushSummary & { delivered: boolean })[];
  attempts: Attempt[];
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
}

export interface Overview {
  /** Of the whole log, whatever the org: an ignored event names none. */
  events: { total: number; unmatched: number; ignored: number; conflicts: number };
  /** Of the org, as are its connections. */
  invites: number;
  connections: { connection: Connection; pushes: PushCounts }[];
  /** What vendors are still to be asked about the org's events, by account. */
  questions: QuestionCounts[];
  /** Links that an admin may still answer. */
  consents: Pick<Consent, "vendor" | "environment" | "expiresAt">[];
}

export interface QuestionCounts extends Pick<Inquiry, "vendor" | "environment"> {
  n: number;
  /** When the longest waiting one came in, ms, and why it was not answered yet; null where it was not tried. */
  since: number;
  reason: string | null;
}

export interface PushCounts {
  pending: number;
  delivered: number;
  rejected: number;
  held: number;
}

export interface AttemptQuery {
  org: string;
  vendor?: string;
  outcome?: NewAttempt["outcome"];
  email?: string;
  since?: number;
  until?: number;
  /** Only attempts logged after this one. */
  after?: number;
  limit: number;
}

export interface Attempt extends NewAttempt {
  at: number;
  version: number;
  vendor: string;
}

export interface LoggedAttempt extends Attempt {
  id: number;
  subject: string;
  /** Of the subject's newest invite, as it stands now: what tells apart records whose addresses are masked. */
  invitationId: string | null;
}
