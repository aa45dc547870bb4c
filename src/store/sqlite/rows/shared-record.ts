import type { Db } from "../file/db.ts";

/**
 * Several subjects can be one record of the vendor's, as two addresses of one contact: their pushes have the same
 * `record`. One that the vendor knows and we were never told of has a push too, of version 0 in the state `never`, so that
 * nothing is ever told of it alone; it goes with the last of the others.
 */
export function createMembersOf(db: Db) {
  const members = db
    .prepare<[number, string], string>(
      "SELECT subject FROM pushes WHERE connection_id = ? AND record = ? ORDER BY subject",
    )
    .pluck();
  return (connectionId: number, record: string): string[] => members.all(connectionId, record);
}

/** The subject and all that are the same record. */
export function createSubjectsOf(db: Db) {
  const recordOf = db
    .prepare<[number, string], string | null>(
      "SELECT record FROM pushes WHERE connection_id = ? AND subject = ?",
    )
    .pluck();
  const membersOf = createMembersOf(db);
  return (connectionId: number, subject: string): string[] => {
    const record = recordOf.get(connectionId, subject) ?? null;
    return record === null ? [subject] : membersOf(connectionId, record);
  };
}
