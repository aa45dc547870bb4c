import type { PoolClient } from "pg";
import { AppError } from "../../../shared/errors.ts";
import type { OpenDatabase } from "./database.ts";
import { storeErrors } from "./errors.ts";
import { MIGRATIONS } from "./schema.ts";

/** Held while the schema is looked at and changed, by one process at a time. */
const MIGRATION_LOCK = "27234, 0";

/** Brings the schema to this program's version, forward only. Throws `STORE_TOO_NEW` where a newer program's stands there. */
export async function migrate({ pool }: Pick<OpenDatabase, "pool">): Promise<void> {
  await storeErrors(async () => {
    const client = await pool.connect();
    try {
      if ((await versionOf(client)) === MIGRATIONS.length) return client.release();
      await client.query(`BEGIN; SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`);
      await client.query(
        "CREATE SCHEMA IF NOT EXISTS jc; CREATE TABLE IF NOT EXISTS jc.schema_version (version integer NOT NULL)",
      );
      const version = (await versionOf(client)) ?? 0;
      if (version > MIGRATIONS.length) throw tooNew(version);
      for (const migration of MIGRATIONS.slice(version)) await client.query(migration);
      await client.query(
        `DELETE FROM jc.schema_version; INSERT INTO jc.schema_version VALUES (${MIGRATIONS.length}); COMMIT`,
      );
      client.release();
    } catch (error) {
      client.release(true);
      throw error;
    }
  });
}

/** Whether a log of ours is there. Throws `STORE_TOO_NEW`. */
export async function hasLog({ pool }: Pick<OpenDatabase, "pool">): Promise<boolean> {
  return await storeErrors(async () => {
    const client = await pool.connect();
    try {
      return (await versionOf(client)) !== null;
    } finally {
      client.release();
    }
  });
}

/** Null where there is no schema. Throws `STORE_TOO_NEW`. */
async function versionOf(client: PoolClient): Promise<number | null> {
  const {
    rows: [found],
  } = await client.query("SELECT to_regclass('jc.schema_version') IS NOT NULL AS is_there");
  if (!found?.is_there) return null;
  const {
    rows: [row],
  } = await client.query("SELECT version FROM jc.schema_version");
  if (!row) return null;
  if (row.version > MIGRATIONS.length) throw tooNew(row.version);
  return row.version;
}

function tooNew(version: number): AppError {
  return new AppError(
    "STORE_TOO_NEW",
    `the database was written by a newer jc-integrations (version ${version})`,
    { hint: `This program knows version ${MIGRATIONS.length}. Install the newer one again.` },
  );
}
