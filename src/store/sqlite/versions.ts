import type { Db } from "./file.ts";

/**
 * One growing number for all states of all invites and pushes, so that "has the vendor what the invite now
 * says?" is one comparison. Read once and written once in a transaction, however many versions it gives out.
 */
export function nextVersions(db: Db) {
  const read = db.prepare<[], number>("SELECT value FROM counters WHERE name = 'version'").pluck();
  const write = db.prepare("UPDATE counters SET value = ? WHERE name = 'version'");
  let [stored, current] = [0, 0];
  return {
    begin() {
      stored = read.get() ?? 0;
      current = stored;
    },
    next: () => ++current,
    commit() {
      if (current > stored) write.run(current);
    },
  };
}
