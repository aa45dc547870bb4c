import { accountTaken } from "../../core/advice/account-taken.ts";
import { type Connection, otherOwner } from "../../core/connection.ts";
import type { ConnectionChanges, ConnectionKey } from "../contract/store.ts";
import type { ConnectionDetails } from "./rows.ts";

const NEW_CONNECTION = {
  account: null,
  isConfirmed: true,
  scopes: [],
  missingScopes: [],
  knownFields: null,
  tokenExpiresAt: null,
  login: null,
  connectedAt: null,
  lastSyncAt: null,
  outage: null,
  vaultTrouble: null,
  banner: null,
  subscription: null,
} satisfies ConnectionDetails;

/** A connection's fields after these changes; `before` is undefined for a new one. */
export function changedFields(
  before: Connection | undefined,
  changes: ConnectionChanges,
): ConnectionDetails & Pick<Connection, "state"> {
  return {
    state: "not_connected",
    ...(before ? fieldsOf(before) : NEW_CONNECTION),
    ...changes,
  };
}

function fieldsOf({ id, org, vendor, environment, subject, marks, ...fields }: Connection) {
  return fields;
}

type Account = NonNullable<Connection["account"]>;

/** Is the account the one that the connection has now? */
export function isItsOwn(before: Connection | undefined, account: Account): boolean {
  return before !== undefined && before.state !== "not_connected" && before.account?.id === account.id;
}

/**
 * One that two orgs had before this was refused keeps both, whatever becomes of their tokens. `known`: the connections to
 * that account. Throws `USAGE`.
 */
export function refuseOwned(known: readonly Connection[], key: ConnectionKey, account: Account): void {
  const owner = otherOwner(known, key, account.id);
  if (owner) throw accountTaken(owner);
}
