import type { Connection, ConnectionName } from "../../core/connection.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Config } from "../../shared/config.ts";
import type { Log } from "../../shared/log.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Access } from "../../vendors/contract/access.ts";
import type { Destination } from "../../vendors/contract/destination.ts";

/** What whoever calls an account needs of the opened program: its vendor, and an access that has a token. */
export interface AccountContext {
  clock: Clock;
  config: Config;
  log: Log;
  destination(of: ConnectionName): Promise<Destination>;
  access(connection: Connection, options: { store: Store; signal: AbortSignal }): Promise<Access>;
}
