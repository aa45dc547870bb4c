import type { Db } from "./db.ts";

export type NextVersion = () => number;

/**
 * One growing number for all states of all invites and pushes, so that "has the vendor what the invite now
 * says?" is one comparison. Read once and written once in a transaction, however many versions it gives out.
 */
export function createVersions(db: Db) {
  const read = db.prepare<[], number>("SELECT value FROM counters WHERE name = 'version'").pluck();
  const write = db.prepare("UPDATE counters SET value = ? WHERE name = 'version'");
  /** Part of a write transaction. */
  return <Result>(work: (next: NextVersion) => Result): Result => {
    const stored = read.get() ?? 0;
    let current = stored;
    const result = work(() => {
      current += 1;
      return current;
    });
    if (current > stored) write.run(current);
    return result;
  };
}
