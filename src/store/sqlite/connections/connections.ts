import type { Connection, ConnectionName, MarkName } from "../../../core/connection.ts";
import type { HeldCause } from "../../../core/push.ts";
import type { ConnectionChanges, ConnectionKey } from "../../contract/store.ts";
import { changedFields, isItsOwn, refuseOwned } from "../../rows/connection-changes.ts";
import { createForgetAccount } from "./forget-account.ts";
import type { Db } from "../file/db.ts";
import { CONNECTION_COLUMNS } from "../rows/columns.ts";
import { type ConnectionRow, connectionOf } from "../../rows/rows.ts";
import { type Sliced, unlocked } from "../file/slices.ts";
import { transaction } from "../file/transaction.ts";

/** Who is connected to what, and the marks that processes agree on. */
export function createConnections(db: Db, now: () => number) {
  const all = db.prepare<[], ConnectionRow>(`${CONNECTION_COLUMNS} ORDER BY org, vendor, environment`);
  const ofOrg = db.prepare<[string], ConnectionRow>(
    `${CONNECTION_COLUMNS} WHERE org = ? ORDER BY vendor, environment`,
  );
  const byId = db.prepare<[number], ConnectionRow>(`${CONNECTION_COLUMNS} WHERE id = ?`);
  const byName = db.prepare<[string, string, string], ConnectionRow>(
    `${CONNECTION_COLUMNS} WHERE org = ? AND vendor = ? AND environment = ?`,
  );
  const upsert = db.prepare(`
    INSERT INTO connections (org, vendor, environment, subject_kind, hold_cause, state, account_id, details)
    VALUES (@org, @vendor, @environment, @subject, @cause, @state, @accountId, @details)
    ON CONFLICT (org, vendor, environment) DO UPDATE SET
      subject_kind = iif(@connects, excluded.subject_kind, subject_kind), hold_cause = coalesce(@cause, hold_cause),
      state = excluded.state, account_id = excluded.account_id, details = excluded.details`);
  const ofAccount = db.prepare<[string, string], ConnectionRow>(
    `${CONNECTION_COLUMNS} WHERE vendor = ? AND account_id = ?`,
  );

  const rowOf = ({ org, vendor, environment }: ConnectionName) => byName.get(org, vendor, environment);

  const forget = createForgetAccount(db);

  const refuseTaken = (
    key: ConnectionKey,
    before: Connection | undefined,
    { account }: ConnectionChanges,
  ): void => {
    if (!account || isItsOwn(before, account)) return;
    refuseOwned(ofAccount.all(key.vendor, account.id).map(connectionOf), key, account);
  };

  const save = transaction(db, (key: ConnectionKey, changes: ConnectionChanges): Connection => {
    const before = rowOf(key);
    refuseTaken(key, before && connectionOf(before), changes);
    const { state, ...details } = changedFields(before && connectionOf(before), changes);
    const { org, vendor, environment, subject } = key;
    const accountId = details.account?.id ?? null;
    const cause = changes.isConfirmed === false ? ("confirm" satisfies HeldCause) : null;
    // Another contract may tell the same account by other subjects.
    const connects = Number(Boolean(changes.account));
    const row = { org, vendor, environment, subject, cause, state, accountId, connects };
    upsert.run({ ...row, details: JSON.stringify(details) });
    const after = rowOf(key);
    if (!after) throw new Error("a connection vanished while it was written");
    return connectionOf(after);
  });
  function* saveConnection(key: ConnectionKey, changes: ConnectionChanges): Sliced<Connection> {
    const row = changes.account ? rowOf(key) : undefined;
    const before = row && connectionOf(row);
    refuseTaken(key, before, changes);
    if (before?.account && before.account.id !== changes.account?.id) yield* forget(before.id);
    return yield* unlocked(() => save(key, changes));
  }

  // One from a time to come was set while the clock was ahead.
  const move = db.prepare(`
    INSERT INTO marks (connection_id, name, value) VALUES (@connectionId, @name, @value)
    ON CONFLICT DO UPDATE SET value = excluded.value
      WHERE value < excluded.value OR (value > @now AND value <> excluded.value)`);
  const mark = transaction(
    db,
    (connectionId: number, name: MarkName, value: number): boolean =>
      move.run({ connectionId, name, value, now: now() }).changes > 0,
  );

  return {
    connections: (org?: string) => (org === undefined ? all.all() : ofOrg.all(org)).map(connectionOf),
    connection: (which: number | ConnectionName): Connection | null => {
      const row = typeof which === "number" ? byId.get(which) : rowOf(which);
      return row ? connectionOf(row) : null;
    },
    saveConnection,
    mark,
  };
}
