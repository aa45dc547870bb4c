import type { Store } from "../contract/store.ts";
import type { VerbName } from "../contract/verbs.ts";
import type { Db } from "./server/sql.ts";

export type PostgresVerbs = Pick<Store, VerbName>;

/** Who carries a verb out: its number among the holders. */
export type Self = () => number;

/** The store's verbs as PostgreSQL does them. */
export function createVerbs(_db: Db, _self: Self): Partial<PostgresVerbs> {
  return {};
}
