import type { Connection } from "../../core/connection.ts";
import type { Http } from "../../shared/http.ts";
import type { Vault } from "../../vault/contract.ts";
import type { Destination } from "../../vendors/contract/destination.ts";
import type { Access } from "../../vendors/contract/access.ts";
import type { AccountContext } from "../account/context.ts";
import type { Watcher } from "./checklist.ts";

/** What every trial in a vendor's sandbox is given, and the account that it finds. */
export interface TrialContext extends AccountContext {
  http(): Promise<Http>;
  vault(): Promise<Vault>;
}

export interface TrialRequest {
  org: string;
  vendor: string;
  /** The operator's Ctrl-C. */
  signal: AbortSignal;
  /** Leaves what it made, for people to look at. */
  keep: boolean;
  watcher: Watcher;
}

/** The opened sandbox account. */
export interface TrialAccount {
  connection: Connection;
  destination: Destination;
  access: Access;
  /** For what must come to its end once begun: it heeds no Ctrl-C, and gives up by itself. */
  lastingAccess: Access;
}
