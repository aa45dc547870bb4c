import type { AdminVerbs } from "./admin.ts";
import type { ConnectionVerbs } from "./connections.ts";
import type { CoordinationVerbs } from "./coordination.ts";
import type { DeliveryVerbs } from "./delivery.ts";
import type { ErasureVerbs } from "./erasure.ts";
import type { Faults } from "./faults.ts";
import type { Holding } from "./holding.ts";
import type { IntakeVerbs } from "./intake.ts";
import type { ReadVerbs } from "./reads.ts";
import type { RequestVerbs } from "./requests.ts";
import type { RerunVerbs } from "./rerun.ts";
import type { RetentionVerbs } from "./retention.ts";
import type { WebhookVerbs } from "./webhooks.ts";

export type * from "./admin.ts";
export type * from "./backups.ts";
export type * from "./connections.ts";
export type * from "./coordination.ts";
export type * from "./delivery.ts";
export type * from "./erasure.ts";
export type * from "./faults.ts";
export type * from "./intake.ts";
export type * from "./reads.ts";
export type * from "./requests.ts";
export type * from "./restoring.ts";
export type * from "./rerun.ts";
export type * from "./retention.ts";
export type * from "./webhooks.ts";

/**
 * The one place where everything that matters is a row. Each verb is one transaction, durable when it returns,
 * and safe beside the same verb in another process. Throws `STORE_UNAVAILABLE` when the store cannot be
 * read or written now; nothing is half done then. Verbs over many pushes (`hold`, `release`, `raise`, `saveConnection` for
 * another account, `saveRun` that adopts) write their rows in several short transactions, so that nobody waits long for
 * the store; one that was cut short is completed by calling it again. Points in time are ms since the epoch.
 */
export interface Store
  extends IntakeVerbs,
    ConnectionVerbs,
    DeliveryVerbs,
    RequestVerbs,
    RerunVerbs,
    WebhookVerbs,
    ReadVerbs,
    CoordinationVerbs,
    RetentionVerbs,
    AdminVerbs,
    ErasureVerbs,
    Faults,
    Holding {
  /**
   * Calls back soon (250 ms at most) after another process changed anything, or this one did what may make work
   * due. Returns how to stop.
   */
  watch(onChange: () => void): () => void;
  /**
   * Copies the whole log into that file, which is there and empty, consistent while all others go on; it is to be
   * finished by `BackupFiles`. Throws `CONFIG_INVALID` where the file cannot be written.
   */
  copyTo(file: string): Promise<void>;
  close(): Promise<void>;
}
