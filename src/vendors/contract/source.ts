import type { Environment } from "../../core/connection.ts";
import type { NewEvent } from "../../core/event.ts";
import type { SourceSecret } from "../../core/source-secret.ts";

/** One webhook call as it came in. Header names are lower-case. */
export interface Delivery {
  headers: Readonly<Record<string, string | undefined>>;
  body: Buffer;
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
