import type { SeenRecord } from "../../../core/push.ts";
import type { DeliveryVerbs, Settlement } from "../../contract/store.ts";
import { endOf } from "../../rows/settled.ts";
import type { Db, Sql } from "../server/sql.ts";
import { noteRecord, noteRecords } from "./records.ts";

/** Held by the one who appends attempts. */
const ATTEMPTS_LOCK = "27236, 0";

/**
 * Ends claims and appends their attempts. Only the holder of the lease may settle, and a version that moved meanwhile makes
 * the push due again at once, whatever became of the old one.
 */
export function createSettle(db: Db): DeliveryVerbs["settle"] {
  return async (settlements) => {
    if (settlements.length === 0) return;
    // Which subjects are one record changes what others of the org are told.
    const isNews = settlements.some(({ record }) => record !== undefined && !isMade(record));
    await db.write(isNews ? "all" : {}, async (tx) => {
      for (const round of eachPushOnce(settlements)) await settleAll(tx, round);
      const leases = [...new Set(settlements.map(({ claim }) => claim.lease))];
      await tx.run(
        `DELETE FROM jc.leases l WHERE id = ANY ($1::bigint[])
          AND NOT EXISTS (SELECT 1 FROM jc.pushes WHERE lease = l.id)`,
        [leases],
      );
      await noteSync(tx, settlements);
      await appendAttempts(tx, settlements);
    });
  };
}

/** A record that the vendor has just made is nobody else's. */
function isMade(record: SeenRecord | undefined): boolean {
  return record?.isNew === true && record.subjects === undefined;
}

function eachPushOnce(settlements: readonly Settlement[]): Settlement[][] {
  const rounds: Settlement[][] = [];
  for (const settlement of settlements) {
    const { pushId } = settlement.claim;
    const round = rounds.find((each) => each.every(({ claim }) => claim.pushId !== pushId));
    if (round) round.push(settlement);
    else rounds.push([settlement]);
  }
  return rounds;
}

/**
 * None where the person was erased while it was under way; its number may be another push's by now. Last of all, and one
 * transaction at a time from here to its commit: who follows the log by its numbers would never see one that comes late.
 */
async function appendAttempts(tx: Sql, settlements: readonly Settlement[]): Promise<void> {
  const told = settlements.flatMap(({ claim, attempt, now }) => (attempt ? [{ claim, attempt, now }] : []));
  if (told.length === 0) return;
  await tx.run(`SELECT pg_advisory_xact_lock(${ATTEMPTS_LOCK})`);
  await tx.run(
    `INSERT INTO jc.attempts (push_id, version, at, outcome, http_status, correlation_id, duration_ms, reason)
      SELECT p.id, a.version, a.at, a.outcome, a.http_status, a.correlation_id, a.duration_ms, a.reason
      FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::integer[], $7::text[], $8::bigint[], $9::text[])
        AS a (push_id, subject, version, at, outcome, http_status, correlation_id, duration_ms, reason)
      JOIN jc.pushes p ON p.id = a.push_id AND p.subject = a.subject`,
    [
      told.map(({ claim }) => claim.pushId),
      told.map(({ claim }) => claim.subject),
      told.map(({ claim }) => claim.version),
      told.map(({ now }) => now),
      told.map(({ attempt }) => attempt.outcome),
      told.map(({ attempt }) => attempt.httpStatus),
      told.map(({ attempt }) => attempt.correlationId),
      told.map(({ attempt }) => Math.round(attempt.durationMs)),
      told.map(({ attempt }) => attempt.reason),
    ],
  );
}

async function settleAll(tx: Sql, settlements: readonly Settlement[]): Promise<void> {
  await keepWaiting(tx, settlements);
  const ended = settlements.filter(({ outcome }) => outcome.kind !== "pending");
  if (ended.length === 0) return;
  const ends = await endAll(tx, ended);
  const lost = ended.filter(({ claim }) => !ends.has(claim.pushId));
  await tellAgain(tx, lost);
  const seen = ended.flatMap(({ claim: { pushId }, record, now }) => {
    const end = ends.get(pushId);
    const isNoted = end === undefined || !record || (isMade(record) && end.isSame);
    return isNoted ? [] : [{ pushId, record, now }];
  });
  const named = seen.filter(({ record }) => record.subjects !== undefined);
  await noteRecords(
    tx,
    seen.filter(({ record }) => record.subjects === undefined),
  );
  for (const each of named) await noteRecord(tx, each);
}

async function keepWaiting(tx: Sql, settlements: readonly Settlement[]): Promise<void> {
  const rows = settlements.flatMap(({ claim, outcome }) =>
    outcome.kind === "pending" ? [{ claim, outcome }] : [],
  );
  if (rows.length === 0) return;
  await tx.run(
    `UPDATE jc.pushes p SET due_at = n.due_at, tries = p.tries + n.counted,
      alone = greatest(p.alone, CASE WHEN p.version = n.version THEN n.quarantine ELSE 0 END), moved_at = NULL, lease = NULL
      FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::integer[], $6::integer[])
        AS n (id, lease, version, due_at, counted, quarantine)
      WHERE p.id = n.id AND p.lease = n.lease`,
    [
      rows.map(({ claim }) => claim.pushId),
      rows.map(({ claim }) => claim.lease),
      rows.map(({ claim }) => claim.version),
      rows.map(({ outcome }) => Math.round(outcome.dueAt)),
      rows.map(({ outcome }) => Number(outcome.counted)),
      rows.map(({ outcome }) => Number(outcome.quarantine ?? false)),
    ],
  );
}

/**
 * As it was when it was claimed, as nearly all are: a hold that came meanwhile has lost its object. A hold on the whole
 * connection that came meanwhile outlives a version that moved; one for this record's content does not, since the cure may
 * have come with the new version. What was told is no longer waited for. Returns those that were still ours.
 */
async function endAll(
  tx: Sql,
  settlements: readonly Settlement[],
): Promise<Map<number, { isSame: boolean }>> {
  const rows = settlements.flatMap(({ claim, outcome, warnings, record, now }) => {
    if (outcome.kind === "pending") return [];
    const isTold = outcome.kind === "delivered" || outcome.kind === "rejected";
    return {
      ...claim,
      ...endOf(outcome),
      deliveredVersion: outcome.kind === "delivered" || outcome.kind === "empty" ? claim.carries : 0,
      keepsWaiting: outcome.kind === "held",
      now,
      projection: isTold ? JSON.stringify(outcome.projection) : null,
      rejection: outcome.kind === "rejected" ? JSON.stringify(outcome.rejection) : null,
      warnings: warnings ? JSON.stringify(warnings) : null,
      receipt: outcome.kind === "delivered" ? (outcome.receipt ?? null) : null,
      made: isMade(record) ? (record?.id ?? null) : null,
    };
  });
  const ended = await tx.all<{ id: number; isSame: boolean }>(
    `UPDATE jc.pushes p SET
      record = CASE WHEN p.version = n.version THEN coalesce(p.record, n.made) ELSE p.record END,
      state = CASE WHEN p.version = n.version THEN n.state ELSE p.state END,
      held_cause = CASE WHEN p.version = n.version THEN n.held_cause ELSE p.held_cause END,
      delivered_version = greatest(p.delivered_version, n.delivered_version),
      pending_since = CASE WHEN n.keeps_waiting THEN p.pending_since WHEN p.version = n.version THEN NULL ELSE p.moved_at END,
      due_at = n.now, tries = 0, alone = 0, moved_at = NULL, lease = NULL,
      projection = coalesce(n.projection, p.projection), rejection = n.rejection,
      warnings = coalesce(n.warnings, p.warnings), receipt = coalesce(n.receipt, p.receipt)
      FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::boolean[], $8::bigint[], $9::text[],
          $10::text[], $11::text[], $12::text[], $13::text[])
        AS n (id, lease, version, state, held_cause, delivered_version, keeps_waiting, now, projection, rejection, warnings, receipt, made)
      WHERE p.id = n.id AND p.lease = n.lease RETURNING p.id, p.version = n.version AS "isSame"`,
    [
      rows.map(({ pushId }) => pushId),
      rows.map(({ lease }) => lease),
      rows.map(({ version }) => version),
      rows.map(({ state }) => state),
      rows.map(({ heldCause }) => heldCause),
      rows.map(({ deliveredVersion }) => deliveredVersion),
      rows.map(({ keepsWaiting }) => keepsWaiting),
      rows.map(({ now }) => now),
      rows.map(({ projection }) => projection),
      rows.map(({ rejection }) => rejection),
      rows.map(({ warnings }) => warnings),
      rows.map(({ receipt }) => receipt),
      rows.map(({ made }) => made),
    ],
  );
  return new Map(ended.map(({ id, isSame }) => [id, { isSame }]));
}

/**
 * Whoever took it over told the vendor something newer, perhaps before this came there. What another account was told is no
 * matter of this one's.
 */
async function tellAgain(tx: Sql, lost: readonly Settlement[]): Promise<void> {
  const delivered = lost.filter(({ outcome }) => outcome.kind === "delivered");
  if (delivered.length === 0) return;
  await tx.run(
    `UPDATE jc.pushes p SET state = 'pending', pending_since = n.now, due_at = n.now
      FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS n (id, lease, now)
      WHERE p.id = n.id AND p.state = 'delivered' AND p.lease IS NULL AND p.delivered_version > 0
        AND n.lease > (SELECT last_foreign_lease FROM jc.connections WHERE id = p.connection_id)`,
    [
      delivered.map(({ claim }) => claim.pushId),
      delivered.map(({ claim }) => claim.lease),
      delivered.map(({ now }) => now),
    ],
  );
}

async function noteSync(tx: Sql, settlements: readonly Settlement[]): Promise<void> {
  const delivered = settlements.findLast(({ outcome }) => outcome.kind === "delivered");
  if (!delivered) return;
  const { claim, now } = delivered;
  await tx.run(
    `UPDATE jc.connections SET details = jsonb_set(details, '{lastSyncAt}', to_jsonb($1::bigint))
      WHERE id = (SELECT connection_id FROM jc.pushes WHERE id = $2) AND last_foreign_lease < $3`,
    [now, claim.pushId, claim.lease],
  );
}
