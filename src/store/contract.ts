import type {
  Account,
  Connection,
  ConnectionName,
  ConnectionState,
  Environment,
} from "../core/connection.ts";
import type { Consent, TakenConsent } from "../core/consent.ts";
import type { InviteStatus, NewEvent } from "../core/event.ts";
import type { Invite } from "../core/invite.ts";
import type {
  HeldCause,
  MappingWarning,
  Projection,
  PushState,
  Rejection,
  SubjectKind,
} from "../core/push.ts";

/**
 * The one place where everything that matters is a row. Each verb is one transaction, durable when it returns,
 * and safe beside the same verb in another process. Throws `STORE_UNAVAILABLE` when the store cannot be
 * read or written now; nothing is half done then. Verbs over a whole connection (`hold`, `release`, `raise`,
 * `confirm`, `forgetAccount`) write many rows in several short transactions, so that nobody waits long for the
 * store; one that was cut short is completed by calling it again. Points in time are ms since the epoch.
 */
export interface Store {
  /**
   * Stores each event once, folds it into its invite and raises the pushes that its org's connections owe.
   * An event that fails alone never takes its neighbours along: its result says so.
   */
  append(events: readonly NewEvent[]): Promise<AppendResult[]>;

  /** The connections of one org, or all. Disconnected ones stay listed. */
  connections(org?: string): Promise<Connection[]>;
  /** Creates the connection or changes the fields given. */
  saveConnection(key: ConnectionKey, changes: ConnectionChanges): Promise<Connection>;

  /** Keeps a new link for consent; the open ones of its connection are void from now on, and old ones forgotten. */
  openConsent(consent: Consent): Promise<void>;
  /**
   * Takes a link for this process, so that no second answer to it is redeemed beside the first. One that its holder
   * died with is free again. Writes nothing unless the link is taken.
   */
  takeConsent(answer: { hash: string; vendor: string; now: number }): Promise<TakenConsent>;
  /** False once somebody voided the link that this process took. */
  holdsConsent(hash: string): Promise<boolean>;
  /** Ends what `takeConsent` began: the link brought its connection, or is open again. */
  endConsent(hash: string, outcome: "connected" | "open", now: number): Promise<void>;
  /** From now on no link of this connection counts. Returns how many were open. */
  voidConsents(connection: ConnectionName, now: number): Promise<number>;

  /** Takes up to `limit` due pushes of one connection for this process, the longest due first. */
  claim(request: { connectionId: number; limit: number; now: number }): Promise<Claim[]>;
  /**
   * Ends claims and appends their attempts. A push whose version moved meanwhile is due again at once, unless it
   * was to be tried later anyway; one whose lease was lost is left as it is.
   */
  settle(settlements: readonly Settlement[]): Promise<void>;
  /**
   * Which connections have pushes that are or will be due, when the first is, and by which consent they stand. Held
   * connections have none.
   */
  dueWork(): Promise<DueWork[]>;
  /** Keeps back all open pushes of a connection, and those to come, until `release`. Returns how many were open. */
  hold(connectionId: number, cause: HeldCause): Promise<number>;
  /**
   * As `hold`, with a change of the connection, both in one step and only while it is `connected` by that very consent
   * and held for nothing else; an unreadable vault gives way to `reconnect`. Null when it does not stand like that any more.
   */
  holdConnected(connectionId: number, request: ConnectedHold): Promise<number | null>;
  /**
   * Makes due what was held for one of these causes, and with `vault` forgets the vault's trouble; where another cause stands on the connection, that one
   * holds it from now on. Returns how many pushes the causes held.
   */
  release(connectionId: number, causes: readonly HeldCause[], now: number): Promise<number>;

  /** Pages of subjects with their invites, in a fixed order: for the sweep, replay and backfill. */
  subjects(query: SubjectQuery): Promise<SubjectPage>;
  /** Notes that a destination already holds these subjects' present state, up to the version `subjects` named. */
  confirm(connectionId: number, subjects: readonly { subject: string; carries: number }[]): Promise<void>;
  /**
   * The account behind a connection is another one: what was delivered or rejected counts as never pushed, and
   * what is in flight to the old one settles nothing.
   */
  forgetAccount(connectionId: number): Promise<void>;

  /** The pushes a replay means, by state; the held ones are counted and never selected. */
  countPushes(selection: PushSelection): Promise<SelectedCounts>;
  selectPushes(
    selection: PushSelection,
    page: { after: string | null; limit: number },
  ): Promise<SelectionPage>;
  /** The subjects with something to tell that have no push at a connection: what a backfill creates. */
  countUnpushed(selection: UnpushedSelection): Promise<number>;
  selectUnpushed(
    selection: UnpushedSelection,
    page: { after: string | null; limit: number },
  ): Promise<SelectionPage>;
  /** Keeps who had what sent again; the id goes with `raise`. */
  startRun(run: NewRun): Promise<number>;
  noteRun(id: number, counts: RunCounts, endedAt: number | null): Promise<void>;
  /** Newest first. */
  runs(org: string, limit: number): Promise<Run[]>;
  /** How the pushes that a run raised stand now. */
  standing(runId: number): Promise<Standing>;
  /** Opens an alert for each incident that is new, and closes those that are over; one that could not be sent stays for a day. */
  keepIncidents(incidents: readonly Incident[], now: number): Promise<void>;
  /** Alerts that were not sent yet and may be tried now. */
  dueAlerts(now: number): Promise<DueAlert[]>;
  noteAlert(id: number, note: AlertNote): Promise<void>;
  /** The delivery log, oldest first: the last `limit` attempts that fit. */
  attempts(query: AttemptQuery): Promise<LoggedAttempt[]>;

  /**
   * Gives these subjects a new version, due now (in a held connection: held). Creates pushes that do not exist.
   * Returns how many were raised.
   */
  raise(connectionId: number, subjects: readonly string[], now: number, runId?: number): Promise<number>;

  /** Newest first. */
  invites(query: InviteQuery): Promise<InviteSummary[]>;
  /** One invite with its events, pushes and attempts, each in the order they came; null when unknown. */
  invite(org: string, invitationId: string): Promise<InviteHistory | null>;
  /** Counts for `status`; cost does not grow with the log. */
  overview(org: string, now: number): Promise<Overview>;

  /** Takes one place in the window of `key`, counted over all processes; else says when the next is free. */
  takeCall(call: { key: string; calls: number; windowMs: number; now: number }): Promise<number | null>;
  /** Until then no process may count on more than `calls` in the window of `key`. */
  limitCalls(limit: { key: string; calls: number; until: number }): Promise<void>;

  /** True for the one process that may run this job for this due time. */
  openTick(job: string, dueAt: number): Promise<boolean>;
  /** The newest due time for which the job ran; null before the first. */
  lastTick(job: string): Promise<number | null>;

  /** Vendors' words whose results we may lack, each waiting to hear which test it is about: the longest waiting first. */
  questions(limit: number): Promise<Question[]>;
  /** Answers one: the invite learns the result of that test. `test` is null when the vendor does not know it. */
  nameTest(seq: number, test: string | null, now: number): Promise<void>;
  /** The webhooks of a vendor that were taken, oldest first: the last `limit` that fit. */
  received(query: ReceivedQuery): Promise<ReceivedWebhook[]>;
  /** Counts, by minute and reason, what was refused unstored. Nothing of its content is kept. */
  noteRefusals(refusals: readonly Pick<Refusal, "source" | "reason" | "n">[], now: number): Promise<void>;
  /** Oldest first: the last `limit`. */
  refusals(source: string, since: number, limit: number): Promise<Refusal[]>;
  /**
   * From now on the invites of this candidate belong to a trial in the vendor's sandbox: they raise pushes for the
   * sandbox connection of that vendor, and for nobody in production.
   */
  startTrial(candidate: TrialCandidate): Promise<void>;

  /** Makes this process known as a running service until it ends, however it ends. */
  enterService(): Promise<void>;
  /** How many services are alive on this store. */
  runningServices(): Promise<number>;

  /**
   * Calls back soon (250 ms at most) after another process changed anything, or this one did what may make work
   * due. Returns how to stop.
   */
  watch(onChange: () => void): () => void;
  close(): Promise<void>;
}

export interface AppendResult {
  /** `stored`; `known`: the same id and body were here before; `failed`: this event could not be stored. */
  outcome: "stored" | "known" | "failed";
  /** The same id came with another body before. */
  conflict: boolean;
}

export type ConnectionKey = Pick<Connection, "org" | "vendor" | "environment"> & { subject: SubjectKind };
export type ConnectionChanges = Partial<Omit<Connection, "id" | "org" | "vendor" | "environment">>;

export interface ConnectedHold {
  cause: Extract<HeldCause, "reconnect" | "vault">;
  /** When the consent was given that the finding is about. */
  connectedAt: number | null;
  changes: Pick<ConnectionChanges, "state" | "banner" | "vaultTrouble">;
}

export interface DueWork {
  connectionId: number;
  dueAt: number;
  connectedAt: number | null;
}

/** One push taken for delivery, with all that its projection needs. */
export interface Claim {
  pushId: number;
  /** Proves at `settle` that the push is still ours. */
  lease: number;
  subject: string;
  version: number;
  /** The newest state the projection will carry; what is delivered with it. */
  carries: number;
  /** Failed tries since the push became due. */
  tries: number;
  /** Was sent apart since its content makes the vendor fail. */
  alone: boolean;
  invites: Invite[];
}

export interface Settlement {
  claim: Pick<Claim, "pushId" | "lease" | "version" | "carries">;
  outcome: SettleOutcome;
  /** Absent where no call was made. */
  attempt?: NewAttempt;
  warnings?: MappingWarning[];
  now: number;
}

export type SettleOutcome =
  /** The vendor holds this projection. */
  | { kind: "delivered"; projection: Projection }
  /** There was nothing to tell. */
  | { kind: "empty" }
  | { kind: "rejected"; projection: Projection; rejection: Rejection }
  /** `alone`: its content makes the vendor fail; from now on it travels without company, until it changes. */
  | { kind: "pending"; dueAt: number; counted: boolean; alone?: boolean }
  | { kind: "held"; cause: HeldCause };

export interface NewAttempt {
  outcome: "delivered" | "rejected" | "retry" | "held";
  httpStatus: number | null;
  correlationId: string | null;
  durationMs: number;
  /** The vendor's words or ours; may hold personal data. */
  reason: string | null;
}

export interface Attempt extends NewAttempt {
  at: number;
  version: number;
  vendor: string;
}

/** Trouble that its org's owner shall hear of, once. */
export interface Incident {
  /** The same as long as it is the same trouble. */
  key: string;
  org: string;
  text: string;
}

export interface DueAlert extends Pick<Incident, "org" | "text"> {
  id: number;
  tries: number;
}

export type AlertNote = { sentAt: number } | { dueAt: number };

export interface PushSelection {
  connectionId: number;
  state?: PushState;
  email?: string;
  invitationIds?: readonly string[];
  /** Of the last attempt: inclusive and exclusive. */
  since?: number;
  until?: number;
}

export interface UnpushedSelection {
  connectionId: number;
  includeInProgress: boolean;
  /** Of the invite's newest snapshot: inclusive and exclusive. */
  since?: number;
  until?: number;
}

/** `next`: give it as `after` for the next page; null at the end. */
export interface SelectionPage {
  subjects: string[];
  next: string | null;
}

export type Standing = Record<PushState, number>;
export type SelectedCounts = Standing;

export interface RunCounts {
  matched: number;
  queued: number;
  skipped: number;
  delivered: number;
  rejected: number;
}

export interface NewRun {
  command: "replay" | "backfill";
  org: string;
  /** The operator's name on this machine. */
  who: string;
  filter: Record<string, unknown>;
  now: number;
}

export interface Run extends Omit<NewRun, "now" | "command" | "org"> {
  id: number;
  command: string;
  /** Null before anything was counted. */
  counts: RunCounts | null;
  startedAt: number;
  /** Null: interrupted, or still under way. */
  endedAt: number | null;
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

export interface LoggedAttempt extends Attempt {
  id: number;
  subject: string;
}

export interface SubjectQuery {
  connectionId: number;
  /** Only subjects with an invite in this status. */
  status?: InviteStatus;
  /** The last subject of the page before; absent for the first. */
  after?: string;
  limit: number;
}

export interface SubjectPage {
  /** `carries`: the newest version among the invites. */
  subjects: { subject: string; invites: Invite[]; carries: number; push: PushSummary | null }[];
  /** Give it as `after` for the next page; null at the end. */
  next: string | null;
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
  pushes: (Pick<PushSummary, "vendor" | "environment" | "state" | "heldCause"> & { delivered: boolean })[];
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

export interface Overview {
  /** Of the whole log, whatever the org: an ignored event names none. */
  events: { total: number; unmatched: number; ignored: number; conflicts: number };
  /** Of the org, as are its connections. */
  invites: number;
  connections: { connection: Connection; pushes: PushCounts }[];
  /** Links that an admin may still answer. */
  consents: Pick<Consent, "vendor" | "environment" | "expiresAt">[];
}

export interface PushCounts {
  pending: number;
  delivered: number;
  rejected: number;
  held: number;
  /** Pending for more than 30 minutes. */
  stuck: number;
}

export type { Account, ConnectionState };
