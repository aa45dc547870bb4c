import type { Store } from "../contract/store.ts";
import type { VerbName } from "../contract/verbs.ts";
import { createConnections } from "./connections/connections.ts";
import { createConsents } from "./connections/consents.ts";
import { createAppend } from "./intake/append.ts";
import type { Db } from "./server/sql.ts";

export type PostgresVerbs = Pick<Store, VerbName>;

/** Who carries a verb out: its number among the holders. */
export type Self = () => number;

/** The store's verbs as PostgreSQL does them. */
export function createVerbs(db: Db, self: Self): Partial<PostgresVerbs> {
  return {
    append: createAppend(db),
    ...createConnections(db),
    ...createConsents(db, self),
  };
}
