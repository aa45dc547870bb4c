import type { Settlement } from "../../contract/store.ts";
import { endOf } from "../../rows/settled.ts";
import type { Db } from "../file/db.ts";
import { transaction } from "../file/transaction.ts";
import { createNoteRecord } from "./records.ts";

/**
 * Ends claims and appends their attempts. Only the holder of the lease may settle, and a version that moved
 * meanwhile makes the push due again at once, whatever became of the old one.
 */
export function createSettle(db: Db) {
  // As it was when it was claimed, as nearly all are: a hold that came meanwhile has lost its object.
  const endSql = (record: string) => `
    UPDATE pushes SET ${record} state = ?, held_cause = ?, delivered_version = max(delivered_version, ?),
      pending_since = iif(?, pending_since, NULL), due_at = ?, tries = 0, alone = 0, moved_at = NULL, lease = NULL,
      projection = coalesce(?, projection), rejection = ?, warnings = coalesce(?, warnings), receipt = coalesce(?, receipt)
    WHERE id = ? AND lease = ? AND version = ?`;
  const end = db.prepare(endSql(""));
  // A record that the vendor has just made is nobody else's.
  const endNew = db.prepare(endSql("record = coalesce(record, ?),"));
  // A hold on the whole connection that came meanwhile outlives a version that moved; one for this record's content
  // does not, since the cure may have come with the new version. What was told is no longer waited for.
  const endMoved = db.prepare(`
    UPDATE pushes SET delivered_version = max(delivered_version, ?),
      pending_since = iif(?, pending_since, moved_at), due_at = ?, tries = 0, alone = 0, moved_at = NULL, lease = NULL,
      projection = coalesce(?, projection), rejection = ?, warnings = coalesce(?, warnings), receipt = coalesce(?, receipt)
    WHERE id = ? AND lease = ?`);
  const keepWaiting = db.prepare(`
    UPDATE pushes SET due_at = ?, tries = tries + ?, alone = max(alone, iif(version = ?, ?, 0)), moved_at = NULL, lease = NULL
    WHERE id = ? AND lease = ?`);
  // Whoever took it over told the vendor something newer, perhaps before this came there. What another account was told
  // is no matter of this one's.
  const tellAgain = db.prepare(`
    UPDATE pushes SET state = 'pending', pending_since = @now, due_at = @now
    WHERE id = @pushId AND state = 'delivered' AND lease IS NULL AND delivered_version > 0
      AND @lease > (SELECT last_foreign_lease FROM connections WHERE id = connection_id)`);
  const attemptSql = (push: string) => `
    INSERT INTO attempts (version, at, outcome, http_status, correlation_id, duration_ms, reason, push_id)
    ${push}`;
  const appendAttempt = db.prepare(attemptSql("VALUES (?, ?, ?, ?, ?, ?, ?, ?)"));
  // None where the person was erased while it was under way; its number may be another push's by now.
  const appendIfThere = db.prepare(
    attemptSql("SELECT ?, ?, ?, ?, ?, ?, ?, id FROM pushes WHERE id = ? AND subject = ?"),
  );
  const closeLease = db.prepare(
    "DELETE FROM leases WHERE id = ? AND NOT EXISTS (SELECT 1 FROM pushes WHERE lease = leases.id)",
  );
  const noteSync = db.prepare(`
    UPDATE connections SET details = json_set(details, '$.lastSyncAt', @now)
    WHERE id = (SELECT connection_id FROM pushes WHERE id = @pushId) AND last_foreign_lease < @lease`);

  const noteRecord = createNoteRecord(db);

  const appendAttemptOf = ({ claim, attempt, now }: Settlement, isOurs: boolean) => {
    if (!attempt) return;
    const { outcome, httpStatus, correlationId, durationMs, reason } = attempt;
    const { pushId, version, subject } = claim;
    const told = [version, now, outcome, httpStatus, correlationId, durationMs, reason, pushId];
    if (isOurs) appendAttempt.run(told);
    else appendIfThere.run(told, subject);
  };

  /** False where somebody else has the push by now, or nobody. */
  const endOne = ({ claim, outcome, warnings, record, now }: Settlement): boolean => {
    const { pushId, lease, version, carries } = claim;
    if (outcome.kind === "pending") {
      const { dueAt, counted, quarantine = false } = outcome;
      const { changes } = keepWaiting.run(
        ...[dueAt, Number(counted), version, Number(quarantine), pushId, lease],
      );
      return changes > 0;
    }
    const { state, heldCause } = endOf(outcome);
    const isTold = outcome.kind === "delivered" || outcome.kind === "rejected";
    const deliveredVersion = outcome.kind === "delivered" || outcome.kind === "empty" ? carries : 0;
    const rest = [
      deliveredVersion,
      Number(outcome.kind === "held"),
      now,
      isTold ? JSON.stringify(outcome.projection) : null,
      outcome.kind === "rejected" ? JSON.stringify(outcome.rejection) : null,
      warnings ? JSON.stringify(warnings) : null,
      outcome.kind === "delivered" ? (outcome.receipt ?? null) : null,
      pushId,
      lease,
    ];
    const isMade = record?.isNew === true && record.subjects === undefined;
    const { changes } = isMade
      ? endNew.run(record.id, state, heldCause, ...rest, version)
      : end.run(state, heldCause, ...rest, version);
    if (changes > 0 && isMade) return true;
    if (changes > 0 || endMoved.run(...rest).changes > 0) {
      if (record) noteRecord({ pushId, record, now });
      return true;
    }
    if (outcome.kind === "delivered") tellAgain.run({ pushId, lease, now });
    return false;
  };

  const settleAll = transaction(db, (settlements: readonly Settlement[]) => {
    for (const settlement of settlements) appendAttemptOf(settlement, endOne(settlement));
    for (const lease of new Set(settlements.map((settlement) => settlement.claim.lease)))
      closeLease.run(lease);
    const delivered = settlements.findLast((settlement) => settlement.outcome.kind === "delivered");
    if (delivered) {
      const { claim, now } = delivered;
      noteSync.run({ now, pushId: claim.pushId, lease: claim.lease });
    }
  });
  return (settlements: readonly Settlement[]) => {
    if (settlements.length > 0) settleAll(settlements);
  };
}
