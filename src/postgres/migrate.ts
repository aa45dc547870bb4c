import type { PoolClient } from "pg";
import { AppError } from "../shared/errors.ts";
import type { OpenDatabase } from "./database.ts";
import { storeErrors } from "./errors.ts";

/** Tables of ours in a schema of their own. */
export interface Schema {
  name: string;
  /** Numbered from 1; never edited after release. */
  migrations: readonly string[];
}

/** Held while a schema is looked at and changed, by one process at a time. */
const MIGRATION_LOCK = "27234, 0";

/** Brings a schema to this program's version, forward only. Throws `STORE_TOO_NEW` where a newer program's stands there. */
export async function migrate(
  { pool, setting }: Pick<OpenDatabase, "pool" | "setting">,
  { name, migrations }: Schema,
): Promise<void> {
  const schema = { name, migrations };
  await storeErrors(setting, async () => {
    const client = await pool.connect();
    try {
      if ((await versionOf(client, schema)) === migrations.length) return client.release();
      await client.query(`BEGIN; SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`);
      await client.query(
        `CREATE SCHEMA IF NOT EXISTS ${name}; CREATE TABLE IF NOT EXISTS ${name}.schema_version (version integer NOT NULL)`,
      );
      const version = (await versionOf(client, schema)) ?? 0;
      for (const migration of migrations.slice(version)) await client.query(migration);
      await client.query(
        `DELETE FROM ${name}.schema_version; INSERT INTO ${name}.schema_version VALUES (${migrations.length}); COMMIT`,
      );
      client.release();
    } catch (error) {
      client.release(true);
      throw error;
    }
  });
}

/** Whether a schema of ours is there. Throws `STORE_TOO_NEW`. */
export async function hasSchema(
  { pool, setting }: Pick<OpenDatabase, "pool" | "setting">,
  schema: Schema,
): Promise<boolean> {
  return await storeErrors(setting, async () => {
    const client = await pool.connect();
    try {
      return (await versionOf(client, schema)) !== null;
    } finally {
      client.release();
    }
  });
}

/** Null where there is no schema. Throws `STORE_TOO_NEW`. */
async function versionOf(client: PoolClient, { name, migrations }: Schema): Promise<number | null> {
  const {
    rows: [found],
  } = await client.query(`SELECT to_regclass('${name}.schema_version') IS NOT NULL AS is_there`);
  if (!found?.is_there) return null;
  const {
    rows: [row],
  } = await client.query(`SELECT version FROM ${name}.schema_version`);
  if (!row) return null;
  if (row.version > migrations.length) throw tooNew(row.version, migrations.length);
  return row.version;
}

function tooNew(version: number, known: number): AppError {
  return new AppError(
    "STORE_TOO_NEW",
    `the database was written by a newer jc-integrations (version ${version})`,
    { hint: `This program knows version ${known}. Install the newer one again.` },
  );
}
