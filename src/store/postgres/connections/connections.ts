import type { Connection, ConnectionName } from "../../../core/connection.ts";
import type { ConnectionVerbs } from "../../contract/connections.ts";
import type { ConnectionChanges, ConnectionKey } from "../../contract/store.ts";
import { changedFields, isItsOwn, refuseOwned } from "../../rows/connection-changes.ts";
import { type ConnectionRow, connectionOf } from "../../rows/rows.ts";
import { CONNECTION_COLUMNS } from "../rows/columns.ts";
import type { Db, Sql } from "../../../postgres/sql.ts";
import { forgetAccount } from "./forget-account.ts";

/** Who is connected to what, and the marks that processes agree on. */
export function createConnections(
  db: Db,
): Pick<ConnectionVerbs, "connections" | "connection" | "saveConnection" | "mark"> {
  return {
    connections: async (org) => {
      const rows = await db.read.all<ConnectionRow>(
        `${CONNECTION_COLUMNS} WHERE $1::text IS NULL OR c.org = $1 ORDER BY c.org, c.vendor, c.environment`,
        [org ?? null],
      );
      return rows.map(connectionOf);
    },
    connection: async (which) =>
      (typeof which === "number" ? await byId(db.read, which) : await byName(db.read, which)) ?? null,
    saveConnection: async (key, changes) => {
      if (changes.account) {
        const before = await byName(db.read, key);
        await refuseTaken(db.read, key, { before, changes });
        if (before?.account && before.account.id !== changes.account.id) await forgetAccount(db, before.id);
      }
      return await db.write("all", (tx) => save(tx, key, changes));
    },
    // One from a time to come was set while the clock was ahead.
    mark: (connectionId, name, value) =>
      db.write({ connections: [connectionId] }, async (tx) => {
        const moved = await tx.run(
          `INSERT INTO jc.marks AS m (connection_id, name, value) VALUES ($1, $2, $3)
            ON CONFLICT (connection_id, name) DO UPDATE SET value = excluded.value
            WHERE m.value < excluded.value OR (m.value > jc.now_ms() AND m.value <> excluded.value)`,
          [connectionId, name, value],
        );
        return moved > 0;
      }),
  };
}

async function byId(sql: Sql, id: number): Promise<Connection | undefined> {
  const row = await sql.get<ConnectionRow>(`${CONNECTION_COLUMNS} WHERE c.id = $1`, [id]);
  return row && connectionOf(row);
}

async function byName(
  sql: Sql,
  { org, vendor, environment }: ConnectionName,
): Promise<Connection | undefined> {
  const row = await sql.get<ConnectionRow>(
    `${CONNECTION_COLUMNS} WHERE c.org = $1 AND c.vendor = $2 AND c.environment = $3`,
    [org, vendor, environment],
  );
  return row && connectionOf(row);
}

async function refuseTaken(
  sql: Sql,
  key: ConnectionKey,
  { before, changes: { account } }: { before: Connection | undefined; changes: ConnectionChanges },
): Promise<void> {
  if (!account || isItsOwn(before, account)) return;
  const known = await sql.all<ConnectionRow>(
    `${CONNECTION_COLUMNS} WHERE c.vendor = $1 AND c.account_id = $2 ORDER BY c.id`,
    [key.vendor, account.id],
  );
  refuseOwned(known.map(connectionOf), key, account);
}

async function save(tx: Sql, key: ConnectionKey, changes: ConnectionChanges): Promise<Connection> {
  const before = await byName(tx, key);
  await refuseTaken(tx, key, { before, changes });
  const { state, ...details } = changedFields(before, changes);
  const { org, vendor, environment, subject } = key;
  await tx.run(
    `INSERT INTO jc.connections AS c (org, vendor, environment, subject_kind, hold_cause, state, account_id, details)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb)
      ON CONFLICT (org, vendor, environment) DO UPDATE SET
        subject_kind = CASE WHEN $9 THEN excluded.subject_kind ELSE c.subject_kind END,
        hold_cause = coalesce($5, c.hold_cause),
        state = excluded.state, account_id = excluded.account_id, details = excluded.details`,
    [
      org,
      vendor,
      environment,
      subject,
      changes.isConfirmed === false ? "confirm" : null,
      state,
      details.account?.id ?? null,
      JSON.stringify(details),
      // Another contract may tell the same account by other subjects.
      Boolean(changes.account),
    ],
  );
  const after = await byName(tx, key);
  if (!after) throw new Error("a connection vanished while it was written");
  return after;
}
