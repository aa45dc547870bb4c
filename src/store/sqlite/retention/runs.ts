import type { Db } from "../file/db.ts";
import { cutoffIn, type PurgeTable } from "./rule.ts";

const PUSHES = 200;

/** What an operator had sent again: his filter may name people. Pushes that stay no longer say by which run they came. */
export function purgeRuns(db: Db): PurgeTable {
  const old = `
    FROM runs r WHERE started_at < ${cutoffIn("r.org")}
    AND NOT EXISTS (SELECT 1 FROM pushes WHERE run_id = r.id AND state IN ('pending', 'held'))`;
  const count = db.prepare<object, number>(`SELECT count(*) ${old}`).pluck();
  const one = db.prepare<object, number>(`SELECT id ${old} ORDER BY id LIMIT 1`).pluck();
  const letGo = db.prepare(
    `UPDATE pushes SET run_id = NULL WHERE id IN (SELECT id FROM pushes WHERE run_id = ? LIMIT ${PUSHES})`,
  );
  const remove = db.prepare("DELETE FROM runs WHERE id = ?");

  return ({ isDry, cutoff, ofOrgs }) => {
    const values = { cutoff, ofOrgs };
    if (isDry) return { removed: { others: count.get(values) ?? 0 }, next: null };
    const id = one.get(values);
    if (id === undefined) return { removed: {}, next: null };
    if (letGo.run(id).changes > 0) return { removed: {}, next: "on" };
    return { removed: { others: remove.run(id).changes }, next: "on" };
  };
}
