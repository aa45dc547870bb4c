import type { OpenDatabase } from "../../postgres/database.ts";
import { hasSchema, migrate } from "../../postgres/migrate.ts";
import type { Sql, Tx } from "../../postgres/sql.ts";
import type { VaultPlace } from "../rows.ts";
import { vaultErrors } from "./errors.ts";
import { type LoadedRows, type RowChanges, rowsInMemory } from "./rows.ts";
import { VAULT_SCHEMA } from "./schema.ts";

export const VAULT_CHANNEL = "jc_vault_changed";

/** What writes exclude each other by. */
const WRITERS = "jc_vault";

export interface PlaceOptions {
  db: OpenDatabase;
  /** In words. */
  where: string;
  revision(): number;
  /** A write or a read has seen the vault at this revision. */
  onRevision(revision: number): void;
  /** Throws where nobody is to work on what is there. Asked before the first work, and in each transaction that writes. */
  insist(sql: Sql): Promise<void>;
}

/** The rows of a sealed vault in PostgreSQL. All that is asked for comes and goes in one statement. */
export function vaultInDatabase({
  db,
  where,
  revision,
  onRevision,
  insist,
}: PlaceOptions): VaultPlace & { prepare(): Promise<void> } {
  let [isThere, isReady, isOurs] = [false, false, false];
  const allowed = async () => {
    if (!isOurs) await insist(db.read);
    isOurs = true;
  };
  const ready = async () => {
    await allowed();
    if (isReady) return;
    await migrate(db, VAULT_SCHEMA);
    isReady = true;
  };
  /** Nothing is created for who only looks. */
  const exists = async () => {
    isThere ||= isReady || (await hasSchema(db, VAULT_SCHEMA));
    return isThere;
  };
  return {
    /** Makes the tables, or brings them to this program's version. */
    prepare: () => vaultErrors(db.setting, ready),
    alone: (names, work) =>
      vaultErrors(db.setting, async () => {
        await ready();
        const snapshot = await load(db.read, names);
        const seen = rowsInMemory(where, snapshot);
        const result = work(seen.rows);
        onRevision(snapshot.revision);
        if (seen.changes() === null) return result;
        const [changed, written] = await db.write({ keys: [WRITERS] }, async (tx) => {
          await insist(tx);
          const held = rowsInMemory(where, await load(tx, names));
          const done = work(held.rows);
          const changes = held.changes();
          return [done, changes === null ? null : await save(tx, changes)] as const;
        });
        if (written !== null) onRevision(written);
        return changed;
      }),
    look: (names, work) =>
      vaultErrors(db.setting, async () => {
        // Also where nothing is yet: the vault that is being copied there is no empty one.
        await allowed();
        if (!(await exists())) return null;
        await ready();
        const snapshot = await load(db.read, names);
        const found = work(rowsInMemory(where, snapshot).rows);
        onRevision(snapshot.revision);
        return found;
      }),
    names: (prefix) =>
      vaultErrors(db.setting, async () => {
        if (!(await exists())) return [];
        const found = await db.read.all<{ name: string }>(
          "SELECT name FROM jc_vault.items WHERE starts_with(name, $1) ORDER BY name",
          [prefix],
        );
        return found.map(({ name }) => name);
      }),
    stamps: (prefix) =>
      vaultErrors(db.setting, async () => {
        if (!(await exists())) return new Map();
        const found = await db.read.all<{ name: string; set_at: number }>(
          "SELECT name, set_at FROM jc_vault.items WHERE starts_with(name, $1) AND set_at IS NOT NULL",
          [prefix],
        );
        return new Map(found.map((row) => [row.name, row.set_at]));
      }),
    revision,
    where: () => where,
  };
}

interface LoadedRow {
  revision: number;
  salt: Buffer | null;
  proof: Buffer | null;
  is_empty: boolean;
  name: string | null;
  sealed: Buffer | null;
}

async function load(sql: Sql, names: readonly string[] | "all"): Promise<LoadedRows> {
  const found = await sql.all<LoadedRow>(
    `SELECT v.revision, v.salt, v.proof, NOT EXISTS (SELECT FROM jc_vault.items) AS is_empty, i.name, i.sealed
     FROM jc_vault.vault v LEFT JOIN jc_vault.items i ON $1::text[] IS NULL OR i.name = ANY($1::text[])`,
    [names === "all" ? null : [...names]],
  );
  const [first] = found;
  if (!first) throw new Error("jc_vault.vault has lost its row");
  const { revision, salt, proof, is_empty: isEmpty } = first;
  return {
    revision,
    check: salt && proof ? { salt, proof } : null,
    isEmpty,
    items: new Map(found.flatMap(({ name, sealed }) => (name && sealed ? [[name, sealed] as const] : []))),
  };
}

/** The revision that it brings about. */
async function save(tx: Tx, { check, items, stamps, isTouched }: RowChanges): Promise<number> {
  const removed = [...items].flatMap(([name, sealed]) => (sealed === null ? [name] : []));
  const put = [...items].flatMap(([name, sealed]) => (sealed === null ? [] : [{ name, sealed }]));
  if (removed.length > 0) await tx.run("DELETE FROM jc_vault.items WHERE name = ANY($1::text[])", [removed]);
  if (put.length > 0)
    await tx.run(
      `INSERT INTO jc_vault.items (name, sealed, set_at) SELECT * FROM unnest($1::text[], $2::bytea[], $3::bigint[])
       ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, set_at = coalesce(excluded.set_at, jc_vault.items.set_at)`,
      [
        put.map(({ name }) => name),
        put.map(({ sealed }) => sealed),
        put.map(({ name }) => stamps.get(name) ?? null),
      ],
    );
  const only = [...stamps].filter(([name]) => !items.has(name));
  if (only.length > 0)
    await tx.run(
      `UPDATE jc_vault.items i SET set_at = s.at FROM unnest($1::text[], $2::bigint[]) AS s (name, at) WHERE i.name = s.name`,
      [only.map(([name]) => name), only.map(([, at]) => at)],
    );
  const row = await tx.get<{ revision: number }>(
    `UPDATE jc_vault.vault SET revision = revision + $1, salt = coalesce($2, salt), proof = coalesce($3, proof) RETURNING revision`,
    [Number(isTouched), check?.salt ?? null, check?.proof ?? null],
  );
  const revision = row?.revision ?? 0;
  if (isTouched) await tx.run("SELECT pg_notify($1, $2)", [VAULT_CHANNEL, String(revision)]);
  return revision;
}
