import type { Connection } from "../../../core/connection.ts";
import type { ConnectionChanges, ConnectionKey } from "../../contract/store.ts";
import type { Db } from "../file/db.ts";
import { type ConnectionRow, connectionOf } from "../rows/rows.ts";
import { transaction } from "../file/transaction.ts";

const NEW_CONNECTION = {
  account: null,
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
} satisfies Omit<Connection, "id" | "org" | "vendor" | "environment" | "state">;

export function createConnections(db: Db) {
  const columns = "SELECT id, org, vendor, environment, state, details FROM connections";
  const all = db.prepare<[], ConnectionRow>(`${columns} ORDER BY org, vendor, environment`);
  const ofOrg = db.prepare<[string], ConnectionRow>(`${columns} WHERE org = ? ORDER BY vendor, environment`);
  const one = db.prepare<[string, string, string], ConnectionRow>(
    `${columns} WHERE org = ? AND vendor = ? AND environment = ?`,
  );
  const upsert = db.prepare(`
    INSERT INTO connections (org, vendor, environment, subject_kind, state, account_id, details)
    VALUES (@org, @vendor, @environment, @subject, @state, @accountId, @details)
    ON CONFLICT (org, vendor, environment) DO UPDATE SET
      state = excluded.state, account_id = excluded.account_id, details = excluded.details`);

  const saveConnection = transaction(db, (key: ConnectionKey, changes: ConnectionChanges): Connection => {
    const before = one.get(key.org, key.vendor, key.environment);
    const { state, ...details } = {
      ...(before ? connectionOf(before) : { ...NEW_CONNECTION, state: "not_connected" }),
      ...changes,
    };
    upsert.run({ ...key, state, accountId: details.account?.id ?? null, details: JSON.stringify(details) });
    const after = one.get(key.org, key.vendor, key.environment);
    if (!after) throw new Error("a connection vanished while it was written");
    return connectionOf(after);
  });

  return {
    connections: (org?: string) => (org === undefined ? all.all() : ofOrg.all(org)).map(connectionOf),
    saveConnection,
  };
}
