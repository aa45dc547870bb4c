import type { SeenRecord } from "../../../core/push.ts";
import type { Settlement } from "../../contract/store.ts";
import { endOf } from "../../rows/settled.ts";
import { type ArrayOf, arrayOf } from "../../../postgres/arrays.ts";
import type { Db, Scope, Sql, Tx } from "../../../postgres/sql.ts";
import { scopeOfConnections } from "../rows/scope.ts";
import { noteRecord, noteRecords } from "./records.ts";

/**
 * Which pushes are meant: found by their ids, compared by the lease. A planner that may find them by the lease joins all of a
 * batch with all of it; and one that thinks the table small reads all of it.
 */
const ARE_THESE = "p.id = ANY ($1::bigint[]) AND p.id = n.id AND p.lease IS NOT DISTINCT FROM n.lease";

/** Held by the one who appends attempts. */
const ATTEMPTS_LOCK = "27236, 0";

export type Call = readonly Settlement[];
/** Those whose answer was lost on the way, perhaps after their commit: their claims are then not ours any more, though nobody took them. */
export type Unheard = WeakSet<Call>;

/** All of them in one transaction. */
export async function settleIn(
  { db, unheard }: { db: Db; unheard: Unheard },
  calls: readonly Call[],
): Promise<void> {
  const settled = db.write(await scopeOf(db, calls.flat()), async (tx) => {
    const settlements: Settlement[] = [];
    for (const call of calls)
      if (!unheard.has(call) || !(await areSettled(tx, call))) settlements.push(...call);
    if (settlements.length === 0) return;
    for (const round of eachPushOnce(settlements)) await settleAll(tx, round);
    const leases = [...new Set(settlements.map(({ claim }) => claim.lease))];
    await Promise.all([
      tx.run(
        `DELETE FROM jc.leases l WHERE id = ANY ($1::bigint[])
          AND NOT EXISTS (SELECT 1 FROM jc.pushes WHERE lease = l.id)`,
        [leases],
      ),
      appendAttempts(tx, settlements),
    ]);
  });
  await settled.catch((error: unknown) => {
    for (const call of calls) unheard.add(call);
    throw error;
  });
}

/** Which subjects are one record changes what others of the org are told. */
async function scopeOf(db: Db, settlements: readonly Settlement[]): Promise<Scope> {
  const news = settlements.filter(({ record }) => record !== undefined && !isMade(record));
  if (news.length === 0) return {};
  const rows = await db.read.all<{ id: number }>(
    "SELECT DISTINCT connection_id AS id FROM jc.pushes WHERE id = ANY ($1::bigint[])",
    [news.map(({ claim }) => claim.pushId)],
  );
  return await scopeOfConnections(
    db.read,
    rows.map(({ id }) => id),
  );
}

/**
 * Where one of their attempts stands, all of them were committed; the commit may still be on its way, with the pushes locked.
 * Those without attempts change nothing when they come again.
 */
async function areSettled(tx: Sql, settlements: Call): Promise<boolean> {
  const told = toldOf(settlements);
  await tx.run("SELECT 1 FROM jc.pushes WHERE id = ANY ($1::bigint[]) ORDER BY id FOR UPDATE", [
    told.map(({ claim }) => claim.pushId),
  ]);
  const found = await tx.get(
    `SELECT 1 FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[]) AS a (push_id, version, at, outcome, correlation_id)
      JOIN jc.attempts t ON t.push_id = a.push_id AND t.at = a.at AND t.version = a.version AND t.outcome = a.outcome
        AND t.correlation_id IS NOT DISTINCT FROM a.correlation_id LIMIT 1`,
    columnsOf(told, {
      push_id: ["bigint", ({ claim }) => claim.pushId],
      version: ["bigint", ({ claim }) => claim.version],
      at: ["bigint", ({ now }) => now],
      outcome: ["text", ({ attempt }) => attempt.outcome],
      correlation_id: ["text", ({ attempt }) => attempt.correlationId],
    }),
  );
  return found !== undefined;
}

function toldOf(settlements: readonly Settlement[]) {
  return settlements.flatMap(({ claim, attempt, now }) => (attempt ? [{ claim, attempt, now }] : []));
}

/** A record that the vendor has just made is nobody else's. */
function isMade(record: SeenRecord | undefined): boolean {
  return record?.isNew === true && record.subjects === undefined;
}

function eachPushOnce(settlements: readonly Settlement[]): Settlement[][] {
  const rounds: Settlement[][] = [];
  const before = new Map<number, number>();
  for (const settlement of settlements) {
    const { pushId } = settlement.claim;
    const n = before.get(pushId) ?? 0;
    before.set(pushId, n + 1);
    const round = rounds[n];
    if (round) round.push(settlement);
    else rounds.push([settlement]);
  }
  return rounds;
}

/**
 * None where the person was erased while it was under way; its number may be another push's by now. Last of all, and one
 * transaction at a time from here to its commit: who follows the log by its numbers would never see one that comes late.
 */
async function appendAttempts(tx: Tx, settlements: readonly Settlement[]): Promise<void> {
  const told = toldOf(settlements);
  if (told.length === 0) return await noteSync(tx, settlements);
  const locked = tx.run(`SELECT pg_advisory_xact_lock(${ATTEMPTS_LOCK})`);
  // Here, where no other settlement is, since two that note several connections could wait for each other.
  const noted = noteSync(tx, settlements);
  const appended = tx.last(
    `INSERT INTO jc.attempts (push_id, version, at, outcome, http_status, correlation_id, duration_ms, reason)
      SELECT p.id, a.version, a.at, a.outcome, a.http_status, a.correlation_id, a.duration_ms, a.reason
      FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::integer[], $7::text[], $8::bigint[], $9::text[])
        AS a (push_id, subject, version, at, outcome, http_status, correlation_id, duration_ms, reason)
      JOIN jc.pushes p ON p.id = ANY ($1::bigint[]) AND p.id = a.push_id AND p.subject = a.subject`,
    columnsOf(told, {
      push_id: ["bigint", ({ claim }) => claim.pushId],
      subject: ["text", ({ claim }) => claim.subject],
      version: ["bigint", ({ claim }) => claim.version],
      at: ["bigint", ({ now }) => now],
      outcome: ["text", ({ attempt }) => attempt.outcome],
      http_status: ["integer", ({ attempt }) => attempt.httpStatus],
      correlation_id: ["text", ({ attempt }) => attempt.correlationId],
      duration_ms: ["bigint", ({ attempt }) => Math.round(attempt.durationMs)],
      reason: ["text", ({ attempt }) => attempt.reason],
    }),
  );
  await Promise.all([locked, noted, appended]);
}

async function settleAll(tx: Sql, settlements: readonly Settlement[]): Promise<void> {
  const ended = settlements.filter(({ outcome }) => outcome.kind !== "pending");
  const [, ends] = await Promise.all([keepWaiting(tx, settlements), endAll(tx, ended)]);
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
      WHERE ${ARE_THESE}`,
    columnsOf(rows, {
      id: ["bigint", ({ claim }) => claim.pushId],
      lease: ["bigint", ({ claim }) => claim.lease],
      version: ["bigint", ({ claim }) => claim.version],
      due_at: ["bigint", ({ outcome }) => Math.round(outcome.dueAt)],
      counted: ["integer", ({ outcome }) => Number(outcome.counted)],
      quarantine: ["integer", ({ outcome }) => Number(outcome.quarantine ?? false)],
    }),
  );
}

type Element = Parameters<typeof arrayOf>[1][number];

/** An array for each column, in their order. */
function columnsOf<Row>(
  rows: readonly Row[],
  columns: Readonly<Record<string, readonly [ArrayOf, (row: Row) => Element]>>,
): Buffer[] {
  return Object.values(columns).map(([of, read]) => arrayOf(of, rows.map(read)));
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
  if (rows.length === 0) return new Map();
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
      WHERE ${ARE_THESE} RETURNING p.id, p.version = n.version AS "isSame"`,
    columnsOf(rows, {
      id: ["bigint", ({ pushId }) => pushId],
      lease: ["bigint", ({ lease }) => lease],
      version: ["bigint", ({ version }) => version],
      state: ["text", ({ state }) => state],
      held_cause: ["text", ({ heldCause }) => heldCause],
      delivered_version: ["bigint", ({ deliveredVersion }) => deliveredVersion],
      keeps_waiting: ["boolean", ({ keepsWaiting }) => keepsWaiting],
      now: ["bigint", ({ now }) => now],
      projection: ["text", ({ projection }) => projection],
      rejection: ["text", ({ rejection }) => rejection],
      warnings: ["text", ({ warnings }) => warnings],
      receipt: ["text", ({ receipt }) => receipt],
      made: ["text", ({ made }) => made],
    }),
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

/** When each connection was last told something. */
async function noteSync(tx: Sql, settlements: readonly Settlement[]): Promise<void> {
  const delivered = settlements.filter(({ outcome }) => outcome.kind === "delivered");
  if (delivered.length === 0) return;
  await tx.run(
    `UPDATE jc.connections c SET details = jsonb_set(details, '{lastSyncAt}', to_jsonb(n.now))
      FROM (SELECT DISTINCT ON (p.connection_id) p.connection_id, s.lease, s.now
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS s (push_id, lease, now, nth)
        JOIN jc.pushes p ON p.id = ANY ($1::bigint[]) AND p.id = s.push_id ORDER BY p.connection_id, s.nth DESC) AS n
      WHERE c.id = n.connection_id AND c.last_foreign_lease < n.lease`,
    [
      delivered.map(({ claim }) => claim.pushId),
      delivered.map(({ claim }) => claim.lease),
      delivered.map(({ now }) => now),
    ],
  );
}
