/** How long a delivery rests after what its machine has no say in: no login, no store, no settings. Pure. */

/** A disk that is full or locked has room again at any time. */
const STORE_REST_MS = 10_000;
/** With the tokens of a new consent it may go on. */
const NEW_TOKENS_REST_MS = 1_000;

export type Obstacle =
  /** Everything is held until somebody connects anew. */
  | "dead login"
  /** What was refused are tokens of before: somebody has connected meanwhile. */
  | "login of before"
  | "store"
  /** What a person has to mend, or an end that was asked for. */
  | "other";

/** The time before which nothing can be delivered, ms since the epoch; 0 where nothing is due any more. */
export function restAfter(
  obstacle: Obstacle,
  { now, retryEveryMs }: { now: number; retryEveryMs: number },
): number {
  switch (obstacle) {
    case "dead login":
      return 0;
    case "login of before":
      return now + NEW_TOKENS_REST_MS;
    case "store":
      return now + STORE_REST_MS;
    case "other":
      return now + retryEveryMs;
  }
}
