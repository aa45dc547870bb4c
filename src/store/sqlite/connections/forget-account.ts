import type { Db } from "../file/db.ts";
import { SLICE, type Sliced, unlocked } from "../file/slices.ts";
import { transaction } from "../file/transaction.ts";

/** What an account was told is of no account to the next one. */
export function createForgetAccount(db: Db): (connectionId: number) => Sliced<void> {
  // Numbers of leases only grow, so one of them tells claims for the old account from those for the new one.
  const disownLeases = db.prepare(`
    UPDATE connections SET last_foreign_lease = coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'leases'), 0)
    WHERE id = ?`);
  const disown = transaction(db, (connectionId: number) => {
    disownLeases.run(connectionId);
  });
  // The rows stay for their attempts' sake; the state `never` hides them until something raises them again.
  // What is in flight goes to the old account: its lease is taken, so that its answer settles nothing here.
  const forget = db
    .prepare<{ connectionId: number; after: number }, number>(`
      UPDATE pushes SET state = iif(state IN ('delivered', 'rejected'), 'never', state), lease = NULL,
        delivered_version = 0, projection = NULL, rejection = NULL, warnings = NULL, record = NULL, receipt = NULL
      WHERE id IN (SELECT id FROM pushes NOT INDEXED
        WHERE id > @after AND connection_id = @connectionId ORDER BY id LIMIT ${SLICE})
      RETURNING id`)
    .pluck();
  // Addresses that only the old account's contacts told of.
  const forgetUntold = db.prepare(
    "DELETE FROM pushes WHERE id > @after AND id <= @last AND connection_id = @connectionId AND version = 0",
  );
  const forgetSlice = transaction(db, (connectionId: number, after: number) => {
    const last = forget.all({ connectionId, after }).reduce((highest, id) => Math.max(highest, id), 0);
    forgetUntold.run({ connectionId, after, last });
    return last;
  });

  return function* (connectionId: number): Sliced<void> {
    yield* unlocked(() => disown(connectionId));
    for (let last = 0; ; ) {
      const after = last;
      last = yield* unlocked(() => forgetSlice(connectionId, after));
      if (last === 0) return;
      yield;
    }
  };
}
