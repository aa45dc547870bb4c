/**
 * How a destination keys what it is told: by the candidate's contact, by the assessment that asked for the result, or by
 * the result itself, which need not have been asked for there.
 */
export type SubjectKind = "contact" | "assessment" | "result";

export const PUSH_STATES = ["pending", "delivered", "rejected", "held"] as const;
export type PushState = (typeof PUSH_STATES)[number];

export const HELD_CAUSES = [
  "reconnect",
  "scope",
  "property",
  "vault",
  "disconnected",
  "confirm",
  "gone",
  "candidate",
] as const;
/** What keeps a push back; each is released by its cure, without a person touching the rows. */
export type HeldCause = (typeof HELD_CAUSES)[number];

/** Field name → value, as a destination shall hold it for one subject. Never an empty value. */
export type Projection = Record<string, string>;

/** A score or text that could not be sent, and why; the rest of the projection still goes. */
export interface MappingWarning {
  field: string;
  reason: string;
}

/** Which of its records a vendor found a subject to be: several subjects can be one, as two addresses of one contact. */
export interface SeenRecord {
  /** The vendor's own; another one after a merge. */
  id: string;
  /** All subjects that are this record. Absent where nothing new was learned of them. */
  subjects?: readonly string[];
  /** The vendor has just made it: no other subject is it. */
  isNew?: true;
}

/** What was known of a subject's record when it was claimed. */
export interface KnownRecord {
  id: string;
  /** Other subjects are known to be the same. */
  isShared: boolean;
}

/** A vendor's no to one record, in the vendor's words (which may hold personal data: never into logs or errors). */
export interface Rejection {
  message: string;
  category: string | null;
  field: string | null;
  httpStatus: number;
  correlationId: string | null;
}

/** What is undelivered, or not looked up, for longer than this is stuck. */
export const STUCK_AFTER_MS = 30 * 60_000;

/**
 * By what stands in the way, each push once. What waits for tokens, as after a revocation, is not among them. Among many
 * thousands that are pending, only the oldest are looked at one by one; the others count as waiting.
 */
export interface StuckCounts {
  /** Pending, with nothing against them. */
  waiting: number;
  /** Pending, and as often tried as a delivery has patience: the vendor is down, or it is their content. */
  failing: number;
  /** Pending, and it is their content: the vendor took others. */
  quarantined: number;
  /** Held for a field that the account lacks. */
  property: number;
  /** Held for a scope that was not granted. */
  scope: number;
  /** Held until somebody says whose result it is. */
  candidate: number;
}

export type HeldCauses = Partial<Record<HeldCause, number>>;

/** How one try of one push ended. `recreated`: delivered, and the vendor made a new record of what it had been told before. */
export const ATTEMPT_OUTCOMES = ["delivered", "recreated", "rejected", "retry", "held"] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];
