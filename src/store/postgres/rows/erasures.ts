import type { Sql } from "../../../postgres/sql.ts";

/** Who was erased, by keyed hashes alone, and how many later events were refused for them. */

const DAY_MS = 24 * 3_600_000;

export async function anyErasures(tx: Sql): Promise<boolean> {
  return (await tx.get("SELECT 1 FROM jc.erasures LIMIT 1")) !== undefined;
}

/** Of these marks those of erased persons, each with the org that the person was erased in. */
export async function erasedOrgs(tx: Sql, marks: readonly string[]): Promise<Map<string, string>> {
  if (marks.length === 0) return new Map();
  const rows = await tx.all<{ mark: Buffer; org: string }>(
    "SELECT mark, org FROM jc.erasures WHERE mark = ANY ($1::bytea[])",
    [marks.map((mark) => Buffer.from(mark, "hex"))],
  );
  return new Map(rows.map(({ mark, org }) => [mark.toString("hex"), org]));
}

/** Part of a write transaction. */
export async function countRefused(tx: Sql, refused: readonly { org: string; now: number }[]): Promise<void> {
  if (refused.length === 0) return;
  await tx.run(
    `INSERT INTO jc.purges AS p (org, day, what, n)
      SELECT org, day, 'refused', count(*) FROM unnest($1::text[], $2::bigint[]) AS r (org, day)
      GROUP BY org, day ORDER BY org, day
      ON CONFLICT (org, day, what) DO UPDATE SET n = p.n + excluded.n`,
    [refused.map(({ org }) => org), refused.map(({ now }) => Math.floor(now / DAY_MS))],
  );
}
