import type { HeldCause } from "../../../core/push.ts";
import type { Db } from "../file/db.ts";
import { createRaise } from "../intake/raise.ts";
import { inSlices, SLICE, type Sliced } from "../file/slices.ts";
import { transaction } from "../file/transaction.ts";
import { createVersions } from "../file/versions.ts";

/** What we believe that a destination holds, corrected without a delivery: it must be told again, it knows, it is another one. */
export function createMarks(db: Db) {
  const causeOf = db
    .prepare<[number], HeldCause | null>("SELECT hold_cause FROM connections WHERE id = ?")
    .pluck();
  const withVersions = createVersions(db);
  const raiseOne = createRaise(db);
  const raise = transaction(
    db,
    (connectionId: number, subjects: readonly string[], now: number, runId: number | null) => {
      const holdCause = causeOf.get(connectionId) ?? null;
      withVersions((nextVersion) => {
        for (const subject of subjects)
          raiseOne({ connectionId, subject, version: nextVersion(), now, holdCause, urgent: true, runId });
      });
    },
  );

  const confirmOne = db.prepare(`
    UPDATE pushes SET delivered_version = max(delivered_version, @carries)
    WHERE connection_id = @connectionId AND subject = @subject AND state = 'delivered' AND version <= @carries`);
  const confirm = transaction(
    db,
    (connectionId: number, known: readonly { subject: string; carries: number }[]) => {
      for (const one of known) confirmOne.run({ connectionId, ...one });
    },
  );

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
        delivered_version = 0, projection = NULL, rejection = NULL, warnings = NULL
      WHERE id IN (SELECT id FROM pushes NOT INDEXED
        WHERE id > @after AND connection_id = @connectionId ORDER BY id LIMIT ${SLICE})
      RETURNING id`)
    .pluck();
  const forgetSlice = transaction(db, (connectionId: number, after: number) =>
    forget.all({ connectionId, after }).reduce((last, id) => Math.max(last, id), 0),
  );

  return {
    *raise(connectionId: number, subjects: readonly string[], now: number, runId?: number): Sliced<number> {
      yield* inSlices(subjects, (slice) => raise(connectionId, slice, now, runId ?? null));
      return subjects.length;
    },
    confirm: (connectionId: number, known: readonly { subject: string; carries: number }[]): Sliced<void> =>
      inSlices(known, (slice) => confirm(connectionId, slice)),
    *forgetAccount(connectionId: number): Sliced<void> {
      disown(connectionId);
      for (let last = forgetSlice(connectionId, 0); last > 0; last = forgetSlice(connectionId, last)) yield;
    },
  };
}
