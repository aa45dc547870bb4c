import type { Application } from "./catalog.ts";
import type { Environment } from "./connection.ts";

/** What a source told us, once verified and parsed; not yet stored. */
export interface NewEvent {
  /** The source's id, as `jobcannon`. With `eventId` it names the event. */
  source: string;
  eventId: string;
  type: string;
  /** The moment the source says it happened, ms. */
  at: number;
  receivedAt: number;
  /** The body as it came, byte for byte. */
  payload: string;
  /** SHA-256 of the body, hex. */
  bodyHash: string;
  /** The invite's state that the event carries; null for one that carries none. */
  snapshot: Snapshot | null;
  /** A vendor's word on one assessment; absent where the event is none. */
  confirmation?: Confirmation;
  /** Whose an event of a type we do not know says it is; absent where it does not say. */
  org?: string;
  /**
   * What its vendor is to be asked, for an event that only names what happened; absent where it says all itself. An event
   * with none of the three is of a type we do not know: stored, marked ignored.
   */
  asks?: Inquiry;
  /** Keyed hashes of whom it is about, by which an erased person's events are refused; absent where nobody made them yet. */
  marks?: readonly string[];
}

/** What a vendor is to be asked about one event, with the org's own access. */
export interface Inquiry {
  vendor: string;
  /** Whose secret signed the event. */
  org: string;
  environment: Environment;
  /** The vendor's own ids, as its look-up needs them. */
  about: Readonly<Record<string, string>>;
}

/** What the vendor answered. */
export type Finding =
  /** The invite's state. */
  | { kind: "snapshot"; snapshot: Snapshot; marks?: readonly string[] }
  /** Which test the assessment of a confirmation asks for; null where the vendor does not know it. */
  | { kind: "test"; test: string | null }
  /** Where a candidate stands on a job: a stage may ask for a test there. */
  | { kind: "application"; application: Application; marks?: readonly string[] }
  /** There is no such thing, or it concerns nobody. */
  | { kind: "nothing" };

/**
 * A vendor's word on an assessment of its own. That it was completed confirms what we wrote there, or tells more than we
 * know; how else it stands is kept and shown.
 */
export interface Confirmation {
  vendor: string;
  /** Whose secret signed it. */
  org: string;
  environment: Environment;
  candidateId: string;
  jobId: string | null;
  assessmentId: string;
  /** Null where the vendor does not know it: then candidate and assessment together name the invite. */
  invitationId: string | null;
  /** As the vendor writes it; blank where it says none. */
  status: string;
  at: number;
  /** Of the test that the assessment asked for; null where the vendor carries none. */
  result: TestResult | null;
}

export const INVITE_STATUSES = ["invited", "in_progress", "completed", "expired", "cancelled"] as const;
export type InviteStatus = (typeof INVITE_STATUSES)[number];

export const TEST_STATUSES = ["assigned", "started", "completed"] as const;
export type TestStatus = (typeof TEST_STATUSES)[number];

/** The whole state of one invite at one moment, as its source declared it. */
export interface Snapshot {
  org: string;
  invitationId: string;
  at: number;
  status: InviteStatus;
  sentAt: number | null;
  completedAt: number | null;
  candidate: Candidate;
  tests: Test[];
  resultUrl: string | null;
  origin: Origin | null;
  /** The source that told it; absent where that is JobCannon. */
  toldBy?: string;
  /** What is odd about it and was accepted all the same, in words for the operator. */
  warnings: string[];
}

export interface Candidate {
  /** As it came; `emailKey` makes it an identity. */
  email: string;
  firstName: string | null;
  lastName: string | null;
}

export interface Test {
  slug: string;
  status: TestStatus;
  completedAt: number | null;
  result: TestResult | null;
  /** When a vendor's webhook told this result, ms; absent for what the snapshot itself carries. */
  reportedAt?: number;
}

/** Scores stay as they came (number, numeric text or nonsense): the destination judges them. */
export interface TestResult {
  dimensions?: { name: string; score: unknown; percentile?: unknown; interpretation?: unknown }[];
  score?: unknown;
  type?: unknown;
  code?: unknown;
  durationSeconds?: unknown;
}

/** Where an invite came from when another system triggered it (`data.source` of the event). */
export interface Origin {
  vendor: string;
  candidateId: string;
  jobId: string | null;
  assessmentId: string | null;
}

/** Whom invites are of, and who tells most of them. */
const JOBCANNON = "jobcannon";

/** The snapshot with its teller's name. */
export function asToldBy(source: string, snapshot: Snapshot): Snapshot {
  return source === JOBCANNON ? snapshot : { ...snapshot, toldBy: source };
}

/** An address of RFC 5321: 64 before the @, 255 behind it. */
export const LONGEST_EMAIL = 320;

/** The identity of a contact: e-mail addresses differ neither in case nor in outer blanks. */
export function emailKey(email: string): string {
  return email.trim().toLowerCase();
}
