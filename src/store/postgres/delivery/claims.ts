import type { ClaimKind } from "../../../core/delivery/events.ts";
import { isFromAhead } from "../../../core/delivery/outage-record.ts";
import { LONGEST_WAIT_MS } from "../../../core/delivery/retry.ts";
import type { HeldCause } from "../../../core/push.ts";
import type { Claim, Claimed, ClaimRequest, DeliveryVerbs, DueWork, Slot } from "../../contract/store.ts";
import { CLOCK_SLACK_MS, companions, type DueRow, KINDS } from "../../rows/due.ts";
import type { ConnectionDetails } from "../../rows/rows.ts";
import { type Holder, type StatesOf, statesOf, together } from "../rows/invites-of.ts";
import { SLICE } from "../server/slices.ts";
import type { Db, Self, SharedTime, Sql, Tx } from "../../../postgres/sql.ts";
import { createOrder } from "../../../postgres/in-turn.ts";
import { createLeases, type Leases } from "./leases.ts";
import { readCalls, takeCallIn } from "./rate-window.ts";
import type { UnheardSlots } from "./unheard-slots.ts";

const NOTHING: Claimed = { claims: [], slot: null };
/** How soon a process looks again for claims whose holder may have been killed: they are free within 2 s, also where machines are busy. */
const LOOK_AGAIN_MS = 500;

/** No other subject that is the same record is under way: what is answered last would count. */
const IS_FREE = `(p.record IS NULL OR NOT EXISTS (SELECT 1 FROM jc.pushes q
  WHERE q.connection_id = p.connection_id AND q.record = p.record AND q.lease IS NOT NULL))`;

type OpenConnection = Holder & { details: ConnectionDetails };

/** Taking due pushes for delivery, so that no two take the same one. */
export function createClaims(
  db: Db,
  self: Self,
  { time, unheard }: { time: SharedTime; unheard: UnheardSlots },
): Pick<DeliveryVerbs, "claim" | "dueWork" | "letGo"> {
  const leases = createLeases(self);
  const inTurn = createOrder<number>();
  return {
    claim: (request) => {
      const { connectionId, window } = request;
      const scope = { connections: [connectionId], ...(window ? { keys: [window.key] } : {}) };
      const claim = async (tx: Tx, taken: (slot: Slot) => Slot): Promise<Claimed> => {
        const [connection, , rows, , calls] = await Promise.all([
          openConnection(tx, connectionId),
          leases.freeLost(tx),
          dueRows(tx, request),
          window && unheard.free(tx, window.key),
          window && readCalls(tx, window.key, self),
        ]);
        if (!connection || rows.length === 0) return NOTHING;
        if (!window || !calls) return { claims: await take(tx, leases, { connection, rows }), slot: null };
        const slot = taken(await takeCallIn(tx, window, { self, time, calls }));
        return { claims: slot.id === null ? [] : await take(tx, leases, { connection, rows }), slot };
      };
      return inTurn(connectionId, () =>
        unheard.during(window?.key ?? null, (taken) => db.write(scope, (tx) => claim(tx, taken))),
      );
    },
    dueWork: async (now, only) => {
      // What a killed process had claimed is due too: nobody else would ever ask for it.
      if (await leases.isAnyLost(db.read)) await db.write({}, (tx) => leases.freeLost(tx));
      // Others may need them, and do not know.
      for (const key of unheard.keys())
        await unheard.during(key, () => db.write({ keys: [key] }, (tx) => unheard.free(tx, key)));
      const rows = await waiting(db.read, self(), only ?? null);
      const ahead = rows.filter((row) => isAhead(row, now));
      for (const { id } of ahead) await mend(db, id, now);
      const seen = ahead.length > 0 ? await waiting(db.read, self(), only ?? null) : rows;
      return seen.flatMap((row) => workOf(row, now));
    },
    letGo: async (ids) => leases.letGo(ids),
  };
}

/** Undefined for one that is held, though its pushes may not all be marked yet. */
async function openConnection(tx: Sql, id: number): Promise<OpenConnection | undefined> {
  const row = await tx.get<OpenConnection & { hold_cause: HeldCause | null }>(
    "SELECT id, org, subject_kind, hold_cause, details FROM jc.connections WHERE id = $1",
    [id],
  );
  return row?.hold_cause === null ? row : undefined;
}

/** Locked, so that whoever raises or settles one of them waits until it is taken. */
function dueRows(tx: Sql, { connectionId, now, kind = "any", limit }: ClaimRequest): Promise<DueRow[]> {
  return tx.all<DueRow>(DUE[kind], [connectionId, now, limit]);
}

const dueOf = (kind: ClaimKind) => `
  SELECT id, subject, version, pending_since AS "pendingSince", tries, alone, record, receipt,
    CASE WHEN delivered_version > 0 AND projection IS NOT NULL THEN 1 ELSE 0 END AS told FROM jc.pushes p
  WHERE connection_id = $1 AND state = 'pending' AND lease IS NULL AND due_at <= $2 ${KINDS[kind]} AND ${IS_FREE}
  ORDER BY due_at, id LIMIT $3 FOR UPDATE OF p SKIP LOCKED`;
const DUE: Readonly<Record<ClaimKind, string>> = {
  any: dueOf("any"),
  fresh: dueOf("fresh"),
  failed: dueOf("failed"),
  "failed together": dueOf("failed together"),
};

/** Ends the transaction. */
async function take(
  tx: Tx,
  leases: Leases,
  { connection, rows: due }: { connection: OpenConnection; rows: DueRow[] },
): Promise<Claim[]> {
  const rows = companions(due);
  const members = await membersOfRecords(tx, connection.id, rows);
  const subjectsOf = ({ subject, record }: DueRow) =>
    record === null ? [subject] : (members.get(record) ?? [subject]);
  const [states, lease] = await Promise.all([
    statesOf(tx, connection, rows.flatMap(subjectsOf)),
    leases.take(
      tx,
      rows.map(({ id }) => id),
    ),
  ]);
  const { knownFields, connectedAt } = connection.details;
  return rows.map((row): Claim => {
    const subjects = subjectsOf(row);
    const known = subjects
      .map((subject) => states.get(subject))
      .filter((each): each is StatesOf => Boolean(each));
    const { invites, newestVersion, forgotten } = together(known);
    return {
      pushId: row.id,
      lease,
      subject: row.subject,
      version: row.version,
      carries: Math.max(row.version, newestVersion),
      pendingSince: row.pendingSince,
      tries: row.tries,
      isQuarantined: row.alone === 1,
      wasDelivered: row.told === 1,
      known: row.record === null ? null : { id: row.record, isShared: subjects.length > 1 },
      receipt: row.receipt,
      invites,
      forgotten,
      knownFields,
      connectedAt,
    };
  });
}

async function membersOfRecords(
  tx: Sql,
  connectionId: number,
  rows: readonly DueRow[],
): Promise<Map<string, string[]>> {
  const records = rows.flatMap(({ record }) => (record === null ? [] : [record]));
  const members = new Map<string, string[]>();
  if (records.length === 0) return members;
  const found = await tx.all<{ record: string; subject: string }>(
    "SELECT record, subject FROM jc.pushes WHERE connection_id = $1 AND record = ANY ($2::text[]) ORDER BY subject",
    [connectionId, records],
  );
  for (const { record, subject } of found) members.set(record, [...(members.get(record) ?? []), subject]);
  return members;
}

interface WaitingRow {
  id: number;
  details: ConnectionDetails;
  nextDue: number | null;
  lastDue: number | null;
  newestWaiting: number | null;
  /** Does another process hold some of them? */
  isShared: boolean;
}

/** Connections that are not held and have open pushes. Asked after each change, so that whoever has nothing to deliver costs next to nothing. */
function waiting(sql: Sql, self: number, only: number | null): Promise<WaitingRow[]> {
  const pending = "FROM jc.pushes p WHERE p.connection_id = c.id AND p.state = 'pending'";
  return sql.all<WaitingRow>(
    `SELECT c.id, c.details,
      (SELECT p.due_at ${pending} AND p.lease IS NULL AND ${IS_FREE} ORDER BY p.due_at LIMIT 1) AS "nextDue",
      (SELECT max(p.due_at) ${pending} AND p.lease IS NULL) AS "lastDue",
      (SELECT max(p.pending_since) ${pending}) AS "newestWaiting",
      EXISTS (SELECT 1 FROM jc.leases l JOIN jc.pushes p ON p.lease = l.id
        WHERE l.holder <> $1 AND p.connection_id = c.id AND p.state = 'pending') AS "isShared"
    FROM jc.connections c WHERE c.hold_cause IS NULL AND ($2::bigint IS NULL OR c.id = $2)
      AND EXISTS (SELECT 1 ${pending}) ORDER BY c.id`,
    [self, only],
  );
}

/** What was raised or put off while the clock was ahead would wait until that time comes. */
function isAhead({ newestWaiting, lastDue }: WaitingRow, now: number): boolean {
  return (newestWaiting ?? now) > now + CLOCK_SLACK_MS || (lastDue ?? now) > now + LONGEST_WAIT_MS;
}

async function mend(db: Db, connectionId: number, now: number): Promise<void> {
  await db.write({ connections: [connectionId] }, async (tx) => {
    await tx.run(
      `UPDATE jc.pushes SET due_at = least(due_at, $2), pending_since = $2 WHERE id IN (SELECT id FROM jc.pushes
        WHERE connection_id = $1 AND state = 'pending' AND pending_since > $3 LIMIT ${SLICE})`,
      [connectionId, now, now + CLOCK_SLACK_MS],
    );
    await tx.run(
      `UPDATE jc.pushes SET due_at = $2 WHERE id IN (SELECT id FROM jc.pushes
        WHERE connection_id = $1 AND state = 'pending' AND lease IS NULL AND due_at > $3 LIMIT ${SLICE})`,
      [connectionId, now, now + LONGEST_WAIT_MS],
    );
  });
}

function workOf({ id, details, nextDue, isShared }: WaitingRow, now: number): DueWork[] {
  // What another process holds comes free when that is killed, and nobody would tell.
  const times = [nextDue, isShared ? now + LOOK_AGAIN_MS : null].filter((at) => at !== null);
  if (times.length === 0) return [];
  // Who delivers asks the vendor anew, and hastens what was put off.
  const isOver = details.outage !== null && isFromAhead(details.outage, now);
  return [
    {
      connectionId: id,
      dueAt: Math.min(...times, ...(isOver ? [now] : [])),
      connectedAt: details.connectedAt,
    },
  ];
}
