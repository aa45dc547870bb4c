import type { Db } from "../file/db.ts";
import type { PurgeTable } from "./rule.ts";

const ATTEMPTS = 200;

/** In the order in which they were made, until they are young. */
export function purgeAttempts(db: Db): PurgeTable {
  const page = db.prepare<[number], AttemptRow>(`
    SELECT a.id, a.at, c.org,
      a.id = (SELECT id FROM attempts WHERE push_id = a.push_id ORDER BY at DESC, id DESC LIMIT 1) AS isLast
    FROM attempts a CROSS JOIN pushes p ON p.id = a.push_id CROSS JOIN connections c ON c.id = p.connection_id
    WHERE a.id > ? ORDER BY a.id LIMIT ${ATTEMPTS}`);
  const remove = db.prepare("DELETE FROM attempts WHERE id = ?");

  return ({ after, isDry, cutoffOf, youngest, now }) => {
    const rows = page.all(Number(after ?? 0));
    const going = rows.filter(({ at, org, isLast }) => isLast === 0 && at < cutoffOf(org));
    if (!isDry) for (const { id } of going) remove.run(id);
    // One from a time to come was made while the clock was ahead, and says nothing about the next.
    const isThrough = rows.length < ATTEMPTS || rows.every(({ at }) => at >= youngest && at <= now);
    return {
      removed: { attempts: going.length },
      next: isThrough ? null : String(rows.at(-1)?.id ?? 0),
    };
  };
}

interface AttemptRow {
  id: number;
  at: number;
  org: string;
  isLast: 0 | 1;
}
