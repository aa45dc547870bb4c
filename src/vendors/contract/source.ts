import type { Environment } from "../../core/connection.ts";
import type { NewEvent } from "../../core/event.ts";
import type { SourceSecret } from "../../core/source-secret.ts";
import type { AppError } from "../../shared/errors.ts";

/** The headers of one webhook call; their names are lower-case. */
export type Headers = Readonly<Record<string, string | undefined>>;

/** A body as it came in: whoever only signs it does not need it whole. */
export type Pieces = readonly Buffer[];

export function sizeOf(pieces: Pieces): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/** The signature that a webhook's headers hold, before anything of its body was read. */
export interface WebhookSignature {
  /** Null where the body names it. */
  eventId: string | null;
  /** What its headers tell of the event and the signature covers; absent where the body says all. */
  headers?: Readonly<Record<string, string>>;
  /** Did this secret sign these very bytes? In constant time; parses nothing of them. */
  isBy(secret: SourceSecret, body: Pieces): boolean;
  /** `SIGNATURE_INVALID`, for when no secret did. */
  refusal(): AppError;
  /**
   * A better one, where the body was changed on its way; null where it was not, or nobody can tell. It reads what a
   * stranger may have sent, within narrow bounds all the same, so it is not for every call.
   */
  explain?(secrets: readonly SourceSecret[], body: Pieces): AppError | null;
}

/** What a good signature tells of the event. */
export interface Verified {
  /** Null where the body names it. */
  eventId: string | null;
  /** Whose secret signed; null where one secret serves all orgs. */
  org: string | null;
  environment: Environment;
  headers?: Readonly<Record<string, string>>;
}

/** A call that brings no event. */
export type Knock =
  /** A greeting, to be answered with these headers while we have a subscription activated, and by nobody else. */
  | { kind: "greeting"; answer: Readonly<Record<string, string>> }
  /** The sender's own try of a receiver, where the body is this very text. */
  | { kind: "check"; body: string };

/** Someone who tells us about invites by webhook. */
export interface Source {
  id: string;
  /** Path on the public listener, as `/jobcannon/events`. */
  path: string;
  /** Name under which `secrets set` keeps its webhook secrets. */
  secretName: string;
  /** A longer body is refused unread. */
  largestBodyBytes: number;
  /** Every answer goes out within so long: later it counts for none. Absent where the sender waits. */
  answersWithinMs?: number;
  /** Null for a call that may bring an event. */
  knock?(headers: Headers): Knock | null;
  /** Throws `SIGNATURE_INVALID` where the headers alone show that nobody we know can have signed. */
  claim(headers: Headers, now: number): WebhookSignature;
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
