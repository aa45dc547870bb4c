import type { Connection, ConnectionName } from "../../../core/connection.ts";
import type { ConnectionChanges, ConnectionKey } from "../../contract/store.ts";
import type { Db } from "../file/db.ts";
import { CONNECTION_COLUMNS, type ConnectionRow, connectionOf } from "../rows/rows.ts";
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
} satisfies Omit<Connection, "id" | keyof ConnectionKey | "state">;

export function createConnections(db: Db) {
  const all = db.prepare<[], ConnectionRow>(`${CONNECTION_COLUMNS} ORDER BY org, vendor, environment`);
  const ofOrg = db.prepare<[string], ConnectionRow>(
    `${CONNECTION_COLUMNS} WHERE org = ? ORDER BY vendor, environment`,
  );
  const byId = db.prepare<[number], ConnectionRow>(`${CONNECTION_COLUMNS} WHERE id = ?`);
  const byName = db.prepare<[string, string, string], ConnectionRow>(
    `${CONNECTION_COLUMNS} WHERE org = ? AND vendor = ? AND environment = ?`,
  );
  const upsert = db.prepare(`
    INSERT INTO connections (org, vendor, environment, subject_kind, state, account_id, details)
    VALUES (@org, @vendor, @environment, @subject, @state, @accountId, @details)
    ON CONFLICT (org, vendor, environment) DO UPDATE SET
      state = excluded.state, account_id = excluded.account_id, details = excluded.details`);

  const rowOf = ({ org, vendor, environment }: ConnectionName) => byName.get(org, vendor, environment);

  const saveConnection = transaction(db, (key: ConnectionKey, changes: ConnectionChanges): Connection => {
    const before = rowOf(key);
    const { state, ...details } = {
      ...(before ? connectionOf(before) : { ...NEW_CONNECTION, state: "not_connected" }),
      ...changes,
    };
    upsert.run({ ...key, state, accountId: details.account?.id ?? null, details: JSON.stringify(details) });
    const after = rowOf(key);
    if (!after) throw new Error("a connection vanished while it was written");
    return connectionOf(after);
  });

  return {
    connections: (org?: string) => (org === undefined ? all.all() : ofOrg.all(org)).map(connectionOf),
    connection: (which: number | ConnectionName): Connection | null => {
      const row = typeof which === "number" ? byId.get(which) : rowOf(which);
      return row ? connectionOf(row) : null;
    },
    saveConnection,
  };
}
