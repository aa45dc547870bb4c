import type { Authorization } from "../core/authorization.ts";
import type { Account, Environment } from "../core/connection.ts";
import type { NewEvent } from "../core/event.ts";
import type { Invite } from "../core/invite.ts";
import type { HeldCause, MappingWarning, Projection, Rejection, SubjectKind } from "../core/push.ts";
import type { Clock } from "../shared/clock.ts";
import type { Config } from "../shared/config.ts";
import type { Http } from "../shared/http.ts";
import type { Secret } from "../shared/secret.ts";

/** What a destination is made from. */
export interface VendorOptions {
  config: Config;
  org: string;
  environment: Environment;
  http: Http;
  clock: Clock;
}

/** One webhook call as it came in. Header names are lower-case. */
export interface Delivery {
  headers: Readonly<Record<string, string | undefined>>;
  body: Buffer;
}

/** A webhook secret and the org whose it is; null where one secret serves all orgs. */
export interface SourceSecret {
  org: string | null;
  environment: Environment;
  secret: Secret;
}

/** What a good signature tells of the event. */
export interface Verified {
  /** Null where the body names it. */
  eventId: string | null;
  /** Whose secret signed; null where one secret serves all orgs. */
  org: string | null;
  environment: Environment;
}

/** Someone who tells us about invites by webhook. */
export interface Source {
  id: string;
  /** Path on the public listener, as `/jobcannon/events`. */
  path: string;
  /** Name under which `secrets set` keeps its webhook secrets. */
  secretName: string;
  /**
   * Throws `SIGNATURE_INVALID` unless one of the secrets signed these very bytes. Parses nothing of them.
   */
  verify(delivery: Delivery, secrets: readonly SourceSecret[], now: number): Verified;
  /** Throws `EventRefused` with the reason in one line when the body is not an event we can take. */
  parse(body: Buffer, known: Verified & { receivedAt: number }): NewEvent;
  /** Identifies a body that came without an id, as one line of an import does. */
  idOfBody(body: Buffer): string;
}

/** Why a body was not taken, in one line for its sender. Holds field names, never their values. */
export class EventRefused extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "EventRefused";
  }
}

/** What one call to a vendor's account needs: a live token, and when to give up. */
export interface Access {
  /** `renewed: true` after the vendor refused the last one: refreshes even if it has not expired. */
  token(options?: { renewed?: boolean }): Promise<Secret>;
  /** Returns when the vendor's rate allows one more call: to be awaited before each. */
  slot(): Promise<void>;
  /** What an answer told of the vendor's own limit. */
  heed(told: RateLimit): Promise<void>;
  /** Where the account's days begin and end, as `Europe/Berlin`; absent where nobody knows. */
  timeZone?: string;
  signal: AbortSignal;
}

/** So many calls in any window of that length. */
export interface RateLimit {
  calls: number;
  windowMs: number;
}

/** One subject's current projection, on its way to the vendor. */
export interface Update {
  subject: string;
  /** Names this very write; unique within a call. */
  traceId: string;
  projection: Projection;
}

/** What the vendor made of one update. */
export type Answer =
  | { kind: "accepted" }
  | { kind: "rejected"; rejection: Rejection }
  /** Not now. `notBefore`: ms since the epoch, when the vendor named a time. */
  | {
      kind: "retry";
      reason: string;
      httpStatus: number | null;
      notBefore: number | null;
      correlationId: string | null;
    }
  /**
   * The call was refused whole, and one of several records may be to blame: send them apart, at once.
   * `suspect`: this one may be it. Where the vendor names culprits the others are no suspects and may go together.
   */
  | { kind: "split"; rejection: Rejection; suspect: boolean }
  | { kind: "held"; cause: HeldCause; detail: string };

export interface SendResult {
  /** In the order of the updates. */
  answers: Answer[];
  httpStatus: number | null;
  correlationId: string | null;
  durationMs: number;
}

/** What the bootstrap would do (`plan`) or did (`apply`) to the fields in the account. */
export interface FieldPlan {
  /** Null where the vendor's fields have none. */
  group: { name: string; exists: boolean } | null;
  create: string[];
  existing: string[];
  /** Differences that are left alone, each in words. */
  drifted: { name: string; difference: string }[];
  /** Fields that the account's quota leaves no room for. */
  overQuota: string[];
}

/** Someone who shall hold the results. */
export interface Destination {
  vendor: string;
  /** As people write it: "HubSpot". */
  label: string;
  subject: SubjectKind;
  /** Most updates one call may carry. */
  batchSize: number;
  /** The account's limit, shared by all calls to it; null for none. */
  rateLimit: RateLimit | null;
  authorization: Authorization;
  /** Who gave consent. Throws `VENDOR_*`. */
  account(access: Access): Promise<Account>;
  /** Removes our app from the account; absent where the vendor offers no such call. Throws `VENDOR_*`. */
  uninstall?(access: Access): Promise<void>;
  /** Pure: what the account shall hold about one subject, given all its invites. */
  project(
    invites: readonly Invite[],
    knownFields: readonly string[] | null,
  ): { projection: Projection; warnings: MappingWarning[] };
  /**
   * One call. Answers for every update, also when the vendor is out of reach; throws only what `token()` throws
   * beyond that (`RECONNECT_NEEDED`, `VAULT_UNAVAILABLE`, wrong configuration), and the signal's reason.
   */
  send(access: Access, updates: readonly Update[]): Promise<SendResult>;
  /** Reads the account's fields and says what is missing. Changes nothing. */
  planFields(access: Access): Promise<FieldPlan>;
  /** Creates what the plan says, tolerates that another run was first, reads back. Returns what now is. */
  applyFields(access: Access, plan: FieldPlan): Promise<FieldReport>;
  /** What an applicant tracking system offers beside; absent where the vendor is none. */
  ats?: Ats;
  /**
   * Why nothing may be tried out there, in words: it is production, or may be. Null where made-up people do no harm.
   * `account` is null while nobody knows it. Absent where any account will do. Pure.
   */
  refuseTrial?(account: Account | null): string | null;
  /** Looking at, and taking away, what a trial sent; absent where the trial goes another way. */
  trial?: Trial;
  /** What the vendor's setup guide says about the errors people meet most; absent where it has no such list. */
  commonErrors?: CommonErrors;
  /** What the fields are to the vendor's people, one and many: "property", "properties". */
  fieldWords: readonly [one: string, many: string];
}

/** Both throw `VENDOR_*` and what `token()` throws. */
export interface Trial {
  /** What the account holds of these fields about the subject; null where it holds no such subject. */
  read(
    access: Access,
    wanted: { subject: string; fields: readonly string[] },
  ): Promise<Record<string, string> | null>;
  /** Says whether there was one. */
  remove(access: Access, subject: string): Promise<boolean>;
}

export interface CommonErrors {
  /** The redirect URI, this one, is not registered. */
  redirectUri(uri: string): CommonError;
  /** No secret of ours signed a webhook. */
  signature: CommonError;
  /** A scope was not granted. */
  scope: CommonError;
}

/** In the guide's own words, sentences without their full stop. */
export interface CommonError {
  title: string;
  cause: string;
  /** In the guide's order. */
  fixes: readonly string[];
}

export interface FieldReport {
  created: string[];
  existing: string[];
  drifted: FieldPlan["drifted"];
  overQuota: string[];
  /** Every field of ours that the account now has. */
  known: string[];
}

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
  /** One that is gone already is fine. */
  unsubscribe(access: Access, id: string): Promise<void>;

  /** Which test a candidate's assessment asks for; null when the vendor knows of no such assessment. */
  testOf(access: Access, of: { candidateId: string; assessmentId: string }): Promise<string | null>;

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
