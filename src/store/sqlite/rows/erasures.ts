import type { Marks } from "../../../core/erasure.ts";
import type { Db } from "../file/db.ts";

const DAY_MS = 24 * 3_600_000;

/** Who was erased, by keyed hashes alone, and how many later events were refused for them. */
export function createErasures(db: Db) {
  const any = db.prepare<[], number>("SELECT 1 FROM erasures LIMIT 1").pluck();
  const find = db.prepare<[Buffer], string>("SELECT org FROM erasures WHERE mark = ?").pluck();
  const count = db.prepare(`
    INSERT INTO purges (org, day, what, n) VALUES (?, ?, 'refused', 1) ON CONFLICT DO UPDATE SET n = n + 1`);
  return {
    any: (): boolean => any.get() !== undefined,
    /** Whose event it would be: the org that the person was erased in. Null where nobody of them was. */
    orgOf: (marks: Marks): string | null => {
      for (const mark of marks) {
        const org = find.get(Buffer.from(mark, "hex"));
        if (org !== undefined) return org;
      }
      return null;
    },
    /** Part of a write transaction. */
    countRefused: (org: string, now: number): void => {
      count.run(org, Math.floor(now / DAY_MS));
    },
  };
}
