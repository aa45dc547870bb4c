import type { RateLimit } from "../../core/delivery/rate-window.ts";
import type { AppError } from "../../shared/errors.ts";
import type { Secret } from "../../shared/secret.ts";

/** What one call to a vendor's account needs: a live token, and when to give up. */
export interface Access {
  /** `renewed: true` after the vendor refused the last one: refreshes even if it has not expired. */
  token(options?: { renewed?: boolean }): Promise<Secret>;
  /** Returns when the vendor's rate allows one more call: to be awaited before each. */
  slot(): Promise<void>;
  /** What it means when even a renewed token is refused; absent where that counts as an outage. */
  refused?(): AppError;
  /** What an answer told of the vendor's own limit. */
  heed(told: RateLimit): Promise<void>;
  /** Where the account's days begin and end, as `Europe/Berlin`; absent where nobody knows. */
  timeZone?: string;
  signal: AbortSignal;
}
