import type { Connection, ConnectionState } from "../../../core/connection.ts";
import type { HeldCause } from "../../../core/push.ts";
import type { ConnectedHold, HoldRequest, Releasing } from "../../contract/store.ts";
import type { Db } from "../file/db.ts";
import { SLICE, type Sliced, unlocked, untilNone } from "../file/slices.ts";
import { transaction } from "../file/transaction.ts";

/** What is held back whole: a connection without tokens. */
export function createHolds(db: Db) {
  const setCause = db.prepare("UPDATE connections SET hold_cause = ? WHERE id = ?");
  const clearCause = db.prepare("UPDATE connections SET hold_cause = NULL WHERE id = ? AND hold_cause = ?");
  const forgetTrouble = db.prepare(
    "UPDATE connections SET details = json_set(details, '$.vaultTrouble', NULL) WHERE id = ? AND hold_cause IS NOT 'vault' AND details ->> 'vaultTrouble' IS NOT NULL",
  );
  const standing = db.prepare<[number], StandingRow>(
    "SELECT state, hold_cause AS holdCause, details FROM connections WHERE id = ?",
  );
  const change = db.prepare("UPDATE connections SET hold_cause = ?, state = ?, details = ? WHERE id = ?");
  const causeOf = db
    .prepare<[number], HeldCause | null>("SELECT hold_cause FROM connections WHERE id = ?")
    .pluck();
  const holdRows = db.prepare(`
    UPDATE pushes SET state = 'held', held_cause = ? WHERE id IN
      (SELECT id FROM pushes WHERE connection_id = ? AND state = 'pending' LIMIT ${SLICE})`);
  const releaseRows = db.prepare(`
    UPDATE pushes SET state = iif(@standing IS NULL, 'pending', 'held'), held_cause = @standing,
      due_at = @now, tries = 0, pending_since = coalesce(pending_since, @now) WHERE id IN
      (SELECT id FROM pushes WHERE connection_id = @connectionId AND state = 'held' AND held_cause = @cause
        AND (@subjects IS NULL OR subject IN (SELECT value FROM json_each(@subjects))) LIMIT ${SLICE})`);
  const hastenRows = db.prepare(`
    UPDATE pushes SET due_at = @now WHERE id IN (SELECT id FROM pushes
      WHERE connection_id = @connectionId AND state = 'pending' AND lease IS NULL AND due_at > @now LIMIT ${SLICE})`);

  const begin = transaction(db, (connectionId: number, cause: HeldCause) => {
    setCause.run(cause, connectionId);
  });
  const beginAsSeen = transaction(
    db,
    (id: number, { cause, connectedAt, changes }: ConnectedHold): boolean => {
      const row = standing.get(id);
      const isFree = row?.holdCause === null || (row?.holdCause === "vault" && cause !== "vault");
      if (!row || !isFree || row.state !== "connected") return false;
      const details: Pick<Connection, "connectedAt"> = JSON.parse(row.details);
      if (details.connectedAt !== connectedAt) return false;
      const { state = row.state, ...rest } = changes;
      change.run(cause, state, JSON.stringify({ ...details, ...rest }), id);
      return true;
    },
  );
  const holdSlice = transaction(db, (connectionId: number): number => {
    const cause = causeOf.get(connectionId) ?? null;
    return cause === null ? 0 : holdRows.run(cause, connectionId).changes;
  });
  const end = transaction(db, (connectionId: number, causes: readonly HeldCause[]) => {
    for (const cause of causes) clearCause.run(connectionId, cause);
  });
  const forget = transaction(db, (connectionId: number) => {
    forgetTrouble.run(connectionId);
  });
  const releaseSlice = transaction(
    db,
    (connectionId: number, cause: HeldCause, only: { now: number; subjects: string | null }): number => {
      const standing = causeOf.get(connectionId) ?? null;
      return standing === cause ? 0 : releaseRows.run({ connectionId, cause, standing, ...only }).changes;
    },
  );
  const hastenSlice = transaction(
    db,
    (connectionId: number, now: number): number => hastenRows.run({ connectionId, now }).changes,
  );

  return {
    /** The cause stands on the connection first: from then on nothing is claimed, however long the rows take. */
    *hold(connectionId: number, request: HoldRequest): Sliced<number | null> {
      if (!("changes" in request)) yield* unlocked(() => begin(connectionId, request.cause));
      else if (!(yield* unlocked(() => beginAsSeen(connectionId, request)))) return null;
      return yield* untilNone(() => holdSlice(connectionId));
    },
    *release(connectionId: number, { held = [], subjects, putOff }: Releasing, now: number): Sliced<number> {
      if (held.length > 0 && !subjects) yield* unlocked(() => end(connectionId, held));
      let total = 0;
      const only = { now, subjects: subjects ? JSON.stringify(subjects) : null };
      for (const cause of held) total += yield* untilNone(() => releaseSlice(connectionId, cause, only));
      if (putOff) total += yield* untilNone(() => hastenSlice(connectionId, now));
      // Last: where this is cut off, the trouble still tells that there is something to release.
      if (held.includes("vault")) yield* unlocked(() => forget(connectionId));
      return total;
    },
  };
}

interface StandingRow {
  state: ConnectionState;
  holdCause: HeldCause | null;
  details: string;
}
