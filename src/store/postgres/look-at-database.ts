import { connectionConfig, type Reach } from "../../postgres/connect.ts";
import { openDatabase } from "../../postgres/database.ts";
import type { DatabaseLook } from "../contract/database-look.ts";

/** Settings that are `on` unless somebody preferred speed. */
const NEEDED = ["fsync", "full_page_writes"];

const LOOK = `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int / 10000 AS major,
  (SELECT coalesce(array_agg(name ORDER BY name), '{}') FROM pg_settings WHERE name = ANY ($1) AND setting = 'off') AS unsafe,
  current_setting('synchronous_standby_names') <> '' AS "isSynchronous",
  (SELECT count(*)::int FROM pg_stat_replication) AS followers`;

/** Asks, and changes nothing. Throws `STORE_UNAVAILABLE`. */
export async function lookAtDatabase(reach: Reach & { directUrl?: string }): Promise<DatabaseLook> {
  const { url, directUrl } = reach;
  const config = connectionConfig(
    { ...reach, url: directUrl || url },
    directUrl ? "store.direct_url" : "store.url",
  );
  const db = openDatabase({ ...config, max: 1 });
  try {
    const found = await db.read.get<DatabaseLook>(LOOK, [NEEDED]);
    if (!found) throw new Error("the database tells nothing of itself");
    return { ...found, version: found.version.split(" ")[0] ?? found.version };
  } finally {
    await db.close();
  }
}
