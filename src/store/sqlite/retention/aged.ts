import type { Db } from "../file/db.ts";
import type { TableStep } from "../../rows/retention.ts";
import type { PurgeTable } from "./rule.ts";

/** Rows of a small table in one step. */
const ROWS = 200;

/** For a table of no great size whose rows end by a condition of their own, on `@now`, `@cutoff` and `@ofOrgs`. */
export function aged(
  table: string,
  key: string,
  condition: string,
  { first }: { first?: string } = {},
): (db: Db) => PurgeTable {
  return (db) => {
    const matching = `FROM ${table} WHERE ${condition}`;
    const count = db.prepare<object, number>(`SELECT count(*) ${matching}`).pluck();
    const remove = db.prepare(
      `DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} ${matching} LIMIT ${ROWS})`,
    );
    const prepareRows = first === undefined ? null : db.prepare(first);
    return ({ after, isDry, now, cutoff, ofOrgs }: TableStep) => {
      const values = { now, cutoff, ofOrgs };
      if (isDry) return { removed: { others: count.get(values) ?? 0 }, next: null };
      if (after === null) prepareRows?.run(values);
      const others = remove.run(values).changes;
      return { removed: { others }, next: others < ROWS ? null : "on" };
    };
  };
}
