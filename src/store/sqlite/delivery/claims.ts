import type { Outage } from "../../../core/connection.ts";
import { isFromAhead } from "../../../core/delivery/outage-record.ts";
import { LONGEST_WAIT_MS } from "../../../core/delivery/retry.ts";
import type { ClaimKind } from "../../../core/delivery/events.ts";
import type { ProcessIdentity } from "../../../shared/process-identity.ts";
import type { ClaimRequest, DueWork } from "../../contract/store.ts";
import { CLOCK_SLACK_MS, companions, type DueRow, KINDS } from "../../rows/due.ts";
import type { Db } from "../file/db.ts";
import { SLICE } from "../file/slices.ts";
import { transaction } from "../file/transaction.ts";
import { createStatesOf, type Holder } from "../rows/invites-of.ts";
import { createMembersOf } from "../rows/shared-record.ts";
import { type ClaimedText, type ClaimsText, NO_CLAIMS } from "./claims-text.ts";
import { createLeases } from "./leases.ts";
import type { TakeCall } from "./rate-window.ts";

/** Taking due pushes for delivery, so that no two take the same one. */
export function createClaims(db: Db, self: ProcessIdentity, now: () => number, takeCall: TakeCall) {
  const connectionOf = db.prepare<[number], Holder & { hold_cause: string | null; account: string }>(
    "SELECT id, org, subject_kind, hold_cause, json_object('knownFields', details -> 'knownFields', 'connectedAt', details ->> 'connectedAt') AS account FROM connections WHERE id = ?",
  );
  const dueOf = (kind: ClaimKind) =>
    db.prepare<[connectionId: number, now: number, limit: number], DueRow>(`
      SELECT id, subject, version, pending_since AS pendingSince, tries, alone, record, receipt,
        delivered_version > 0 AND projection IS NOT NULL AS told FROM pushes p
      WHERE connection_id = ? AND state = 'pending' AND lease IS NULL AND due_at <= ? ${KINDS[kind]} AND ${IS_FREE}
      ORDER BY due_at LIMIT ?`);
  const due = {
    any: dueOf("any"),
    fresh: dueOf("fresh"),
    failed: dueOf("failed"),
    "failed together": dueOf("failed together"),
  };
  const takeOne = db.prepare("UPDATE pushes SET lease = ?, moved_at = NULL WHERE id = ?");
  const statesOf = createStatesOf(db);
  const membersOf = createMembersOf(db);
  const leases = createLeases(db, self, now);

  /** Undefined for one that is held, though its pushes may not all be marked yet. */
  const openConnection = (id: number) => {
    const connection = connectionOf.get(id);
    return connection?.hold_cause === null ? connection : undefined;
  };
  const take = (request: ClaimRequest): ClaimsText => {
    leases.freeLost();
    const connection = openConnection(request.connectionId);
    if (!connection) return NO_CLAIMS;
    const { connectionId, now, limit, kind = "any" } = request;
    const rows = companions(due[kind].all(connectionId, now, limit));
    if (rows.length === 0) return NO_CLAIMS;
    const lease = leases.open();
    const claims = rows.map(
      ({ id: pushId, subject, version, pendingSince, tries, alone, told, record, receipt }) => {
        takeOne.run(lease, pushId);
        const subjects = record === null ? [subject] : membersOf(connectionId, record);
        const { states, newestVersion, forgotten } = statesOf(connection, subjects);
        // Without spreads: one would cost as much as all the rest.
        const claim = {
          pushId,
          lease,
          subject,
          version,
          carries: Math.max(version, newestVersion),
          pendingSince,
          tries,
          isQuarantined: alone === 1,
          wasDelivered: told === 1,
          receipt,
          known: record === null ? null : { id: record, isShared: subjects.length > 1 },
        };
        return `${JSON.stringify(claim).slice(0, -1)},"forgotten":${forgotten},"invites":[${states.join(",")}]}`;
      },
    );
    return `{"account":${connection.account},"claims":[${claims.join(",")}]}`;
  };

  const claim = transaction(db, (request: ClaimRequest): ClaimedText => {
    const { connectionId, now, kind = "any", window } = request;
    if (!window) return { text: take(request), slot: null };
    const isDue = openConnection(connectionId) && due[kind].get(connectionId, now, 1);
    if (!isDue) return { text: NO_CLAIMS, slot: null };
    const slot = takeCall(window);
    return { text: slot.id === null ? NO_CLAIMS : take(request), slot };
  });

  const next = db
    .prepare<[number], number>(
      `SELECT due_at FROM pushes p WHERE connection_id = ? AND state = 'pending' AND lease IS NULL AND ${IS_FREE} ORDER BY due_at LIMIT 1`,
    )
    .pluck();
  /** Asked after each change, so each step seeks the next connection that has something to deliver: the others cost nothing. */
  const open = db.prepare<
    [number | null, number | null],
    { id: number; connectedAt: number | null; outage: string | null }
  >(`
    WITH RECURSIVE waiting (id) AS (
      SELECT min(connection_id) FROM pushes WHERE state = 'pending' AND lease IS NULL
      UNION ALL
      SELECT (SELECT min(connection_id) FROM pushes WHERE state = 'pending' AND lease IS NULL AND connection_id > waiting.id)
        FROM waiting WHERE waiting.id IS NOT NULL
    )
    SELECT c.id, c.details ->> 'connectedAt' AS connectedAt, c.details -> 'outage' AS outage
      FROM waiting JOIN connections c ON c.id = waiting.id
      WHERE c.hold_cause IS NULL AND (? IS NULL OR c.id = ?)
      ORDER BY c.id`);
  const newestWaiting = db
    .prepare<[number], number | null>(
      "SELECT max(pending_since) FROM pushes WHERE connection_id = ? AND state = 'pending'",
    )
    .pluck();
  const lastDue = db
    .prepare<[number], number | null>(
      "SELECT max(due_at) FROM pushes WHERE connection_id = ? AND state = 'pending' AND lease IS NULL",
    )
    .pluck();
  const mendRaised = db.prepare(`
    UPDATE pushes SET due_at = min(due_at, @now), pending_since = @now WHERE id IN (SELECT id FROM pushes
      WHERE connection_id = @connectionId AND state = 'pending' AND pending_since > @latest LIMIT ${SLICE})`);
  const mendPutOff = db.prepare(`
    UPDATE pushes SET due_at = @now WHERE id IN (SELECT id FROM pushes
      WHERE connection_id = @connectionId AND state = 'pending' AND lease IS NULL AND due_at > @latest LIMIT ${SLICE})`);
  const mend = transaction(db, (connectionId: number, now: number) => {
    mendRaised.run({ connectionId, now, latest: now + CLOCK_SLACK_MS });
    mendPutOff.run({ connectionId, now, latest: now + LONGEST_WAIT_MS });
  });
  /** What was raised or put off while the clock was ahead would wait until that time comes. */
  const isAhead = (connectionId: number, now: number): boolean =>
    (newestWaiting.get(connectionId) ?? now) > now + CLOCK_SLACK_MS ||
    (lastDue.get(connectionId) ?? now) > now + LONGEST_WAIT_MS;

  const freeLost = transaction(db, leases.freeLost);
  const dueWork = (now: number, only: number | null = null): DueWork[] => {
    // What a killed process had claimed is due too: nobody else would ever ask for it.
    if (leases.lost().length > 0) freeLost();
    return open.all(only, only).flatMap(({ id: connectionId, connectedAt, outage }) => {
      if (isAhead(connectionId, now)) mend(connectionId, now);
      const dueAt = next.get(connectionId);
      if (dueAt === undefined) return [];
      // Who delivers asks the vendor anew, and hastens what was put off.
      const isOver = outage !== null && isOutageFromAhead(outage, now);
      return [{ connectionId, dueAt: isOver ? Math.min(dueAt, now) : dueAt, connectedAt }];
    });
  };

  return { claim, dueWork, letGo: leases.letGo };
}

/** As JSON; where there is none it says `null`. */
function isOutageFromAhead(json: string, now: number): boolean {
  const outage: Outage | null = JSON.parse(json);
  return outage !== null && isFromAhead(outage, now);
}

/** No other subject that is the same record is under way: what is answered last would count. */
const IS_FREE =
  "(p.record IS NULL OR NOT EXISTS (SELECT 1 FROM pushes q WHERE q.connection_id = p.connection_id AND q.record = p.record AND q.lease IS NOT NULL))";
