import type { HeldCause } from "../../../core/push.ts";
import type { Raising } from "../../contract/store.ts";
import type { Db } from "../file/db.ts";
import { createRaise } from "../intake/raise.ts";
import { inSlices, type Sliced } from "../file/slices.ts";
import { transaction } from "../file/transaction.ts";
import { createVersions } from "../file/versions.ts";

type Asked = Pick<Raising, "recreates"> & { runId?: number | null };

/** What we believe that a destination holds, corrected without a delivery: it must be told again, or it knows. */
export function createRaising(db: Db) {
  const causeOf = db
    .prepare<[number], HeldCause | null>("SELECT hold_cause FROM connections WHERE id = ?")
    .pluck();
  const free = db.prepare(`
    UPDATE pushes SET state = 'pending', held_cause = NULL, delivered_version = 0, projection = NULL
    WHERE connection_id = ? AND subject = ? AND state = 'held' AND held_cause = 'gone'`);
  const withVersions = createVersions(db);
  const raiseOne = createRaise(db);
  const raise = transaction(
    db,
    (connectionId: number, subjects: readonly string[], now: number, { runId = null, recreates }: Asked) => {
      const holdCause = causeOf.get(connectionId) ?? null;
      // As one that was never told, it goes the way of any other.
      if (recreates && holdCause === null) for (const subject of subjects) free.run(connectionId, subject);
      withVersions((nextVersion) => {
        for (const subject of subjects)
          raiseOne({ connectionId, subject, version: nextVersion(), now, holdCause, urgent: true, runId });
      });
    },
  );

  const markOne = db.prepare(`
    UPDATE pushes SET delivered_version = max(delivered_version, @carries)
    WHERE connection_id = @connectionId AND subject = @subject AND state = 'delivered' AND version <= @carries`);
  const markCurrent = transaction(
    db,
    (connectionId: number, known: readonly { subject: string; carries: number }[]) => {
      for (const one of known) markOne.run({ connectionId, ...one });
    },
  );

  return {
    *raise(connectionId: number, what: Raising, now: number): Sliced<number> {
      const { subjects, current = [] } = what;
      yield* inSlices(subjects, (slice) => raise(connectionId, slice, now, what));
      yield* inSlices(current, (slice) => markCurrent(connectionId, slice));
      return subjects.length;
    },
  };
}
