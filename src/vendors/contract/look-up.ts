import type { RateLimit } from "../../core/delivery/rate-window.ts";
import type { Finding } from "../../core/event.ts";
import type { Access } from "./access.ts";

/** Asks a vendor what its events only name. */
export interface LookUp {
  label: string;
  /** The secret that opens an org's account where it has no connection; absent where only a connection does. */
  apiKeyName?: string;
  /** Of calls made with that key; null for none. A connection's calls have the limit of its account. */
  rateLimit: RateLimit | null;
  /** Most questions asked of one account at once. */
  atOnce: number;
  /**
   * Answers one question. Throws `VENDOR_*` where it cannot be answered now, `EventRefused` with the reason in one line
   * where the answer cannot be taken, and what `token()` throws.
   */
  ask(access: Access, question: Asked): Promise<Finding>;
}

export interface Asked {
  org: string;
  /** As the source gave them with the event. */
  about: Readonly<Record<string, string>>;
  /** When the event happened, as its source says, ms. */
  at: number;
}
