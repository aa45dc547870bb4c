import type { Theirs } from "../../rows/theirs.ts";
import type { Sql } from "../../../postgres/sql.ts";
import { isRow, LOOKED_THROUGH, type LookedTable } from "./tables.ts";

/**
 * Removes a person's rows, from the leaves to what they hang on, and scrubs what names them elsewhere. Part of a write
 * transaction that keeps out all others. Returns the leases under which some of it was being sent.
 */
export async function takeOut(
  tx: Sql,
  org: string,
  { theirs, scrub }: { theirs: Theirs; scrub(text: string): string },
): Promise<number[]> {
  const { events, pushes, invites, person } = theirs;
  const leases = await tx.all<{ lease: number }>(
    "SELECT DISTINCT lease FROM jc.pushes WHERE id = ANY ($1::bigint[]) AND lease IS NOT NULL",
    [pushes],
  );
  // What was delivered counts on.
  await tx.run(
    `INSERT INTO jc.gone_counts AS g SELECT connection_id, count(*) FROM jc.pushes
      WHERE id = ANY ($1::bigint[]) AND state = 'delivered' GROUP BY connection_id
      ON CONFLICT (connection_id) DO UPDATE SET delivered = g.delivered + excluded.delivered`,
    [pushes],
  );
  for (const table of ["confirmations", "questions", "events"])
    await tx.run(`DELETE FROM jc.${table} WHERE seq = ANY ($1::bigint[])`, [events]);
  await tx.run("DELETE FROM jc.attempts WHERE push_id = ANY ($1::bigint[])", [pushes]);
  await tx.run("DELETE FROM jc.pushes WHERE id = ANY ($1::bigint[])", [pushes]);
  await tx.run("DELETE FROM jc.invites WHERE id = ANY ($1::bigint[])", [invites]);
  await tx.run("DELETE FROM jc.forgotten WHERE org = $1 AND contact = ANY ($2::text[])", [
    org,
    person.addresses,
  ]);
  const ofCandidate = "org = $1 AND vendor = $2 AND candidate_id = $3";
  for (const { vendor, candidateId } of person.candidates)
    for (const statement of [
      `DELETE FROM jc.trials WHERE ${ofCandidate}`,
      `DELETE FROM jc.request_attempts WHERE request_id IN (SELECT id FROM jc.invite_requests WHERE ${ofCandidate})`,
      `DELETE FROM jc.invite_requests WHERE ${ofCandidate}`,
    ])
      await tx.run(statement, [org, vendor, candidateId]);
  for (const table of LOOKED_THROUGH)
    for (const row of theirs.named.get(table.name) ?? []) await scrubRow(tx, table, { row, scrub });
  return leases.map(({ lease }) => lease);
}

async function scrubRow(
  tx: Sql,
  table: LookedTable,
  { row, scrub }: { row: Readonly<Record<string, unknown>>; scrub(text: string): string },
): Promise<void> {
  const scrubbedOf = (name: string) => {
    const text = row[name];
    return typeof text === "string" ? scrub(text) : (text ?? null);
  };
  const values = table.columns.map(scrubbedOf);
  const keys = table.key.map((name) => row[name] ?? null);
  // Scrubbed, it may be the same as another one, which then makes way.
  if (table.columns.some((name) => table.unique.includes(name))) {
    const after = table.unique.map(scrubbedOf);
    await tx.run(
      `DELETE FROM jc.${table.name} t WHERE ${isRow({ key: table.unique }, 1)} AND NOT (${isRow(table, after.length + 1)})`,
      [...after, ...keys],
    );
  }
  const changes = table.columns.map(
    (name, index) => `${name} = $${index + 1}${name === "details" ? "::jsonb" : ""}`,
  );
  await tx.run(
    `UPDATE jc.${table.name} t SET ${changes.join(", ")} WHERE ${isRow(table, values.length + 1)}`,
    [...values, ...keys],
  );
}
