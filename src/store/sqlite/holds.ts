import type { HeldCause } from "../../core/push.ts";
import type { Db } from "./file.ts";

/** What is held back whole: a connection without tokens. Written in slices, so that no transaction grows long. */
const SLICE = 1_000;
/** Causes that hold a whole connection, and so the pushes to come as well. */
const OF_CONNECTION: readonly HeldCause[] = ["reconnect", "vault", "disconnected"];

export function createHolds(db: Db) {
  const setCause = db.prepare("UPDATE connections SET hold_cause = ? WHERE id = ?");
  const clearCause = db.prepare("UPDATE connections SET hold_cause = NULL WHERE id = ? AND hold_cause = ?");
  const holdSlice = db.prepare(`
    UPDATE pushes SET state = 'held', held_cause = ? WHERE id IN
      (SELECT id FROM pushes WHERE connection_id = ? AND state = 'pending' LIMIT ${SLICE})`);
  const releaseSlice = db.prepare(`
    UPDATE pushes SET state = 'pending', held_cause = NULL, due_at = @now, tries = 0,
      pending_since = coalesce(pending_since, @now) WHERE id IN
      (SELECT id FROM pushes WHERE connection_id = @connectionId AND state = 'held' AND held_cause = @cause LIMIT ${SLICE})`);
  const inSlices = (slice: () => number) => {
    const step = db.transaction(slice).immediate;
    let total = 0;
    for (let n = step(); n > 0; n = step()) total += n;
    return total;
  };

  return {
    /** The cause stands on the connection first: from then on nothing is claimed, however long the rows take. */
    hold: (connectionId: number, cause: HeldCause): number => {
      setCause.run(cause, connectionId);
      return inSlices(() => holdSlice.run(cause, connectionId).changes);
    },
    release: (connectionId: number, causes: readonly HeldCause[], now: number): number => {
      for (const cause of causes) if (OF_CONNECTION.includes(cause)) clearCause.run(connectionId, cause);
      return causes.reduce(
        (total, cause) => total + inSlices(() => releaseSlice.run({ connectionId, cause, now }).changes),
        0,
      );
    },
  };
}
