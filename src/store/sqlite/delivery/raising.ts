import type { HeldCause } from "../../../core/push.ts";
import type { Raising } from "../../contract/store.ts";
import type { Db } from "../file/db.ts";
import { createRaise } from "../intake/raise.ts";
import { inSlices, type Sliced } from "../file/slices.ts";
import { transaction } from "../file/transaction.ts";
import { createVersions } from "../file/versions.ts";

/** What we believe that a destination holds, corrected without a delivery: it must be told again, or it knows. */
export function createRaising(db: Db) {
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
      const { subjects, current = [], runId = null } = what;
      yield* inSlices(subjects, (slice) => raise(connectionId, slice, now, runId));
      yield* inSlices(current, (slice) => markCurrent(connectionId, slice));
      return subjects.length;
    },
  };
}
