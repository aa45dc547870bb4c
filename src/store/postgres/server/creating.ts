import { mayMakeNoSchema, TABLES_OWNER } from "../../../core/advice/database.ts";
import type { Sql } from "../../../postgres/sql.ts";
import { AppError } from "../../../shared/errors.ts";

/** As whoever makes the tables would find out. `isCopied`: by a copy of a log. Throws `STORE_UNAVAILABLE`. */
export async function insistOnCreating(sql: Sql, { isCopied }: { isCopied: boolean }): Promise<void> {
  const row = await sql.get<{ may: boolean; database: string; user: string }>(
    `SELECT has_database_privilege(current_database(), 'CREATE') AS may, current_database() AS database, current_user AS user`,
  );
  if (!row || row.may) return;
  // Whoever copies owns what comes of it; who serves need not.
  const user = isCopied ? row.user : TABLES_OWNER;
  const { words, hint } = mayMakeNoSchema({ database: row.database, user }, { isCopied });
  throw new AppError("STORE_UNAVAILABLE", words, { hint });
}
