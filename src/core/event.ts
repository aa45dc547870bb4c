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
  /** The invite's state that the event carries; null for a type we do not know (stored, marked ignored). */
  snapshot: Snapshot | null;
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

/** The identity of a contact: e-mail addresses differ neither in case nor in outer blanks. */
export function emailKey(email: string): string {
  return email.trim().toLowerCase();
}
