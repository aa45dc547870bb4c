import type { HeldCause, PushState } from "../../core/push.ts";
import type { SettleOutcome, Settlement } from "../contract.ts";
import type { Db } from "./file.ts";
import { transaction } from "./transaction.ts";

/**
 * Ends claims and appends their attempts. Only the holder of the lease may settle, and a version that moved
 * meanwhile makes the push due again at once, whatever became of the old one.
 */
export function createSettle(db: Db) {
  const read = db.prepare<[number, number], CurrentRow>(
    "SELECT state, held_cause, version, pending_since, moved_at FROM pushes WHERE id = ? AND lease = ?",
  );
  const write = db.prepare(`
    UPDATE pushes SET state = ?, held_cause = ?, delivered_version = max(delivered_version, ?),
      pending_since = ?, due_at = ?, tries = 0, alone = 0, moved_at = NULL, lease = NULL,
      projection = coalesce(?, projection), rejection = ?, warnings = coalesce(?, warnings)
    WHERE id = ?`);
  const keepWaiting = db.prepare(`
    UPDATE pushes SET due_at = @dueAt, tries = tries + @counted, alone = max(alone, @alone), moved_at = NULL, lease = NULL WHERE id = @id`);
  const appendAttempt = db.prepare(`
    INSERT INTO attempts (push_id, version, at, outcome, http_status, correlation_id, duration_ms, reason)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
  const closeLease = db.prepare(
    "DELETE FROM leases WHERE id = ? AND NOT EXISTS (SELECT 1 FROM pushes WHERE lease = leases.id)",
  );
  const noteSync = db.prepare(`
    UPDATE connections SET details = json_set(details, '$.lastSyncAt', @now)
    WHERE id = (SELECT connection_id FROM pushes WHERE id = @pushId)`);

  const settleOne = ({ claim, outcome, attempt, warnings, now }: Settlement) => {
    if (attempt) {
      const { outcome, httpStatus, correlationId, durationMs, reason } = attempt;
      const { pushId, version } = claim;
      appendAttempt.run(pushId, version, now, outcome, httpStatus, correlationId, durationMs, reason);
    }
    const row = read.get(claim.pushId, claim.lease);
    if (!row) return;
    const hasMoved = row.version !== claim.version;
    if (outcome.kind === "pending") {
      const { dueAt, counted, alone = false } = outcome;
      keepWaiting.run({
        id: claim.pushId,
        dueAt,
        counted: Number(counted),
        alone: Number(alone && !hasMoved),
      });
      return;
    }
    const { state, heldCause, pendingSince } = after(row, outcome, hasMoved);
    const isTold = outcome.kind === "delivered" || outcome.kind === "rejected";
    write.run(
      state,
      heldCause,
      outcome.kind === "delivered" || outcome.kind === "empty" ? claim.carries : 0,
      pendingSince,
      now,
      isTold ? JSON.stringify(outcome.projection) : null,
      outcome.kind === "rejected" ? JSON.stringify(outcome.rejection) : null,
      warnings ? JSON.stringify(warnings) : null,
      claim.pushId,
    );
  };

  const settleAll = transaction(db, (settlements: readonly Settlement[]) => {
    for (const settlement of settlements) settleOne(settlement);
    for (const lease of new Set(settlements.map((settlement) => settlement.claim.lease)))
      closeLease.run(lease);
    const delivered = settlements.findLast((settlement) => settlement.outcome.kind === "delivered");
    if (delivered) noteSync.run({ now: delivered.now, pushId: delivered.claim.pushId });
  });
  return (settlements: readonly Settlement[]) => {
    if (settlements.length > 0) settleAll(settlements);
  };
}

interface CurrentRow {
  state: PushState;
  held_cause: HeldCause | null;
  version: number;
  pending_since: number | null;
  moved_at: number | null;
}

/**
 * A hold on the whole connection that came meanwhile outlives a version that moved; one for this record's content
 * does not, since the cure may have come with the new version. What was told is no longer waited for.
 */
function after(
  row: CurrentRow,
  outcome: Exclude<SettleOutcome, { kind: "pending" }>,
  hasMoved: boolean,
): { state: PushState; heldCause: HeldCause | null; pendingSince: number | null } {
  const isHeld = outcome.kind === "held";
  const waitsSince = isHeld ? row.pending_since : row.moved_at;
  if (hasMoved) return { state: row.state, heldCause: row.held_cause, pendingSince: waitsSince };
  if (isHeld) return { state: "held", heldCause: outcome.cause, pendingSince: row.pending_since };
  const state = outcome.kind === "rejected" ? "rejected" : "delivered";
  return { state, heldCause: null, pendingSince: null };
}
