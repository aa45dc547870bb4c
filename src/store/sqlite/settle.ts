import type { PushState } from "../../core/push.ts";
import type { SettleOutcome, Settlement } from "../contract.ts";
import type { Db } from "./file.ts";

/**
 * Ends claims and appends their attempts. Only the holder of the lease may settle, and a version that moved
 * meanwhile makes the push due again at once, whatever became of the old one.
 */
export function createSettle(db: Db) {
  const read = db.prepare<[number, number], CurrentRow>(
    "SELECT state, version, moved_at FROM pushes WHERE id = ? AND lease = ?",
  );
  const write = db.prepare(`
    UPDATE pushes SET state = @state, held_cause = @heldCause, delivered_version = max(delivered_version, @carried),
      pending_since = @pendingSince, due_at = @dueAt, tries = @tries, alone = 0, moved_at = NULL, lease = NULL,
      projection = coalesce(@projection, projection), rejection = @rejection, warnings = coalesce(@warnings, warnings)
    WHERE id = @id`);
  const keepWaiting = db.prepare(`
    UPDATE pushes SET due_at = @dueAt, tries = tries + @counted, alone = max(alone, @alone), moved_at = NULL, lease = NULL WHERE id = @id`);
  const appendAttempt = db.prepare(`
    INSERT INTO attempts (push_id, version, at, outcome, http_status, correlation_id, duration_ms, reason)
    VALUES (@pushId, @version, @at, @outcome, @httpStatus, @correlationId, @durationMs, @reason)`);
  const closeLease = db.prepare(
    "DELETE FROM leases WHERE id = ? AND NOT EXISTS (SELECT 1 FROM pushes WHERE lease = leases.id)",
  );
  const noteSync = db.prepare(`
    UPDATE connections SET details = json_set(details, '$.lastSyncAt', @now)
    WHERE id = (SELECT connection_id FROM pushes WHERE id = @pushId)`);

  const settleOne = ({ claim, outcome, attempt, warnings, now }: Settlement) => {
    if (attempt) appendAttempt.run({ ...attempt, pushId: claim.pushId, version: claim.version, at: now });
    const row = read.get(claim.pushId, claim.lease);
    if (!row) return;
    if (outcome.kind === "pending") {
      const { dueAt, counted, alone = false } = outcome;
      keepWaiting.run({ id: claim.pushId, dueAt, counted: Number(counted), alone: Number(alone) });
      return;
    }
    const hasMoved = row.version !== claim.version;
    const state = stateAfter(row.state, outcome, hasMoved);
    write.run({
      id: claim.pushId,
      state,
      heldCause: outcome.kind === "held" && state === "held" ? outcome.cause : null,
      carried: outcome.kind === "delivered" || outcome.kind === "empty" ? claim.carries : 0,
      pendingSince: state === "pending" || state === "held" ? (row.moved_at ?? now) : null,
      dueAt: now,
      tries: 0,
      projection:
        outcome.kind === "delivered" || outcome.kind === "rejected"
          ? JSON.stringify(outcome.projection)
          : null,
      rejection: outcome.kind === "rejected" ? JSON.stringify(outcome.rejection) : null,
      warnings: warnings ? JSON.stringify(warnings) : null,
    });
  };

  return db.transaction((settlements: readonly Settlement[]) => {
    for (const settlement of settlements) settleOne(settlement);
    for (const lease of new Set(settlements.map((settlement) => settlement.claim.lease)))
      closeLease.run(lease);
    const delivered = settlements.findLast((settlement) => settlement.outcome.kind === "delivered");
    if (delivered) noteSync.run({ now: delivered.now, pushId: delivered.claim.pushId });
  }).immediate;
}

interface CurrentRow {
  state: PushState;
  version: number;
  moved_at: number | null;
}

function stateAfter(
  current: PushState,
  outcome: Exclude<SettleOutcome, { kind: "pending" }>,
  hasMoved: boolean,
): PushState {
  if (outcome.kind === "held") return "held";
  if (hasMoved) return current === "held" ? "held" : "pending";
  return outcome.kind === "rejected" ? "rejected" : "delivered";
}
