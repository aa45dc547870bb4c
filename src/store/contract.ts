import type { Connections } from "./contract/connections.ts";
import type { Coordination } from "./contract/coordination.ts";
import type { Delivery } from "./contract/delivery.ts";
import type { Intake } from "./contract/intake.ts";
import type { Reads } from "./contract/reads.ts";
import type { Rerun } from "./contract/rerun.ts";
import type { Webhooks } from "./contract/webhooks.ts";

export type * from "./contract/connections.ts";
export type * from "./contract/coordination.ts";
export type * from "./contract/delivery.ts";
export type * from "./contract/intake.ts";
export type * from "./contract/reads.ts";
export type * from "./contract/rerun.ts";
export type * from "./contract/webhooks.ts";

/**
 * The one place where everything that matters is a row. Each verb is one transaction, durable when it returns,
 * and safe beside the same verb in another process. Throws `STORE_UNAVAILABLE` when the store cannot be
 * read or written now; nothing is half done then. Verbs over a whole connection (`hold`, `release`, `raise`,
 * `confirm`, `hasten`, `forgetAccount`) write many rows in several short transactions, so that nobody waits long for the
 * store; one that was cut short is completed by calling it again. Points in time are ms since the epoch.
 */
export interface Store extends Intake, Connections, Delivery, Rerun, Webhooks, Reads, Coordination {
  /**
   * Calls back soon (250 ms at most) after another process changed anything, or this one did what may make work
   * due. Returns how to stop.
   */
  watch(onChange: () => void): () => void;
  close(): Promise<void>;
}
