import type { RateLimit } from "../../core/delivery/rate-window.ts";
import type { AppError } from "../../shared/errors.ts";
import type { Secret } from "../../shared/secret.ts";

/** One call in the vendor's rate window. */
export interface CountedCall {
  /** To be called once it was answered, or failed: it may have reached the vendor until then. */
  ended(): Promise<void>;
}

/** The limits of one kind of call, where a vendor counts its calls by kind. */
export interface CallLimits {
  /** Names the kind: `GET /candidates`. */
  name: string;
  rateLimit: RateLimit;
  /** Most calls of the whole account at once. */
  atOnce: number;
  /** Most of this kind at once, where that is fewer. */
  ofKindAtOnce?: number;
}

/** What one call to a vendor's account needs: a live token, and when to give up. */
export interface Access {
  /** `renewed: true` after the vendor refused the last one: refreshes even if it has not expired. */
  token(options?: { renewed?: boolean }): Promise<Secret>;
  /**
   * Returns when the vendor's rate allows one more call: to be awaited before each, which counts until it has ended. With
   * `limits` it counts in those, else in the account's one window.
   */
  slot(limits?: CallLimits): Promise<CountedCall>;
  /** Asked right before a call goes that is no GET: throws where what it tells may be another process's to tell. Absent where nothing was claimed. */
  beforeWrite?(): void;
  /** What it means when even a renewed token is refused; absent where that counts as an outage. */
  refused?(): AppError;
  /** What an answer told of the vendor's own limit, of that kind of call where it is given. */
  heed(told: RateLimit, limits?: CallLimits): Promise<void>;
  /** `api-key`: what `token()` gives is the account's key and no access token; absent for a token. */
  opensBy?: "api-key";
  /** Where the account's days begin and end, as `Europe/Berlin`; absent where nobody knows. */
  timeZone?: string;
  signal: AbortSignal;
}
