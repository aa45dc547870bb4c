import type { HeldCause, SeenRecord } from "../../../core/push.ts";
import { membersOf, subjectsOf } from "../rows/invites-of.ts";
import { nextVersions, raisePushes } from "../rows/raise.ts";
import type { Sql } from "../../../postgres/sql.ts";

export interface Seen {
  pushId: number;
  record: SeenRecord;
  now: number;
}

interface Place {
  connectionId: number;
  subject: string;
  org: string;
  holdCause: HeldCause | null;
}

type Groups = ReadonlyMap<string, readonly string[]>;

/**
 * Notes which record of the vendor's each push turned out to be, where the vendor told of no other subjects. As nearly
 * always, nobody knew its record, and nobody else is it; then one statement does for all.
 */
export async function noteRecords(tx: Sql, seen: readonly Seen[]): Promise<void> {
  const ids = seen.map(({ record }) => record.id);
  const alone = seen.filter(({ record }) => ids.indexOf(record.id) === ids.lastIndexOf(record.id));
  const noted = new Set(await rememberAlone(tx, alone));
  for (const each of seen) if (!noted.has(each.pushId)) await noteRecord(tx, each);
}

/** Returns the pushes whose record it now is. */
async function rememberAlone(tx: Sql, seen: readonly Seen[]): Promise<number[]> {
  if (seen.length === 0) return [];
  const rows = await tx.all<{ id: number }>(
    `UPDATE jc.pushes p SET record = n.record FROM unnest($1::bigint[], $2::text[]) AS n (id, record)
      WHERE p.id = ANY ($1::bigint[]) AND p.id = n.id AND p.record IS NULL
        AND NOT EXISTS (SELECT 1 FROM jc.pushes q WHERE q.connection_id = p.connection_id AND q.record = n.record)
      RETURNING p.id`,
    [seen.map(({ pushId }) => pushId), seen.map(({ record }) => record.id)],
  );
  return rows.map(({ id }) => id);
}

/**
 * Where that changes which subjects are one record, all whose results are others than before are raised. A part of the
 * transaction that settles the push: cut off before it, the push is told again, and its answer says the same.
 */
export async function noteRecord(tx: Sql, seen: Seen): Promise<void> {
  const {
    pushId,
    record: { id, subjects: told, isNew },
    now,
  } = seen;
  if (told === undefined && (await rememberAlone(tx, [seen])).length > 0) return;
  // Another one was this record when it was told last. Which of them is it now, only the record itself tells: a mark that is
  // no vendor's id, and nobody else's, has it looked at with the next answer.
  const doubt = "UPDATE jc.pushes SET record = '?' || id WHERE id = $1 AND record IS NULL";
  if (told === undefined && (isNew || (await tx.run(doubt, [pushId])) === 0)) return;
  const place = await placeOf(tx, pushId);
  if (!place) return;
  const { connectionId, subject } = place;
  if (told === undefined) return await raiseAll(tx, place, [subject], now);
  const present = await membersOf(tx, connectionId, id);
  const subjects = new Set([subject, ...told]);
  const concerned = new Set<string>();
  for (const each of [...subjects, ...present]) {
    concerned.add(each);
    for (const other of await subjectsOf(tx, connectionId, each)) concerned.add(other);
  }
  const before = await groupsOf(tx, connectionId, concerned);
  await regroup(tx, connectionId, { id, subjects, leaving: present.filter((each) => !subjects.has(each)) });
  const after = await groupsOf(tx, connectionId, concerned);
  await raiseAll(tx, place, await changed(tx, place, before, after), now);
}

function placeOf(tx: Sql, pushId: number): Promise<Place | undefined> {
  return tx.get<Place>(
    `SELECT p.connection_id AS "connectionId", p.subject, c.org, c.hold_cause AS "holdCause"
      FROM jc.pushes p JOIN jc.connections c ON c.id = p.connection_id WHERE p.id = $1`,
    [pushId],
  );
}

async function groupsOf(tx: Sql, connectionId: number, subjects: Iterable<string>): Promise<Groups> {
  const groups = new Map<string, readonly string[]>();
  for (const subject of subjects) groups.set(subject, await subjectsOf(tx, connectionId, subject));
  return groups;
}

/** Makes these subjects, and no others, the record. */
async function regroup(
  tx: Sql,
  connectionId: number,
  { id, subjects, leaving }: { id: string; subjects: ReadonlySet<string>; leaving: readonly string[] },
): Promise<void> {
  const left = new Set<string>();
  for (const subject of subjects) {
    const row = await tx.get<{ record: string }>(
      "SELECT record FROM jc.pushes WHERE connection_id = $1 AND subject = $2 AND record IS NOT NULL",
      [connectionId, subject],
    );
    if (row?.record === id) continue;
    if (row) left.add(row.record);
    await tx.run(
      `INSERT INTO jc.pushes (connection_id, subject, state, version, record) VALUES ($1, $2, 'never', 0, $3)
        ON CONFLICT (connection_id, subject) DO UPDATE SET record = excluded.record`,
      [connectionId, subject, id],
    );
  }
  await tx.run("UPDATE jc.pushes SET record = NULL WHERE connection_id = $1 AND subject = ANY ($2::text[])", [
    connectionId,
    leaving,
  ]);
  await tx.run(
    "DELETE FROM jc.pushes WHERE connection_id = $1 AND subject = ANY ($2::text[]) AND version = 0",
    [connectionId, leaving],
  );
  // Those that were only ever known as the record go with the last of the others.
  await tx.run(
    `DELETE FROM jc.pushes p WHERE connection_id = $1 AND record = ANY ($2::text[]) AND version = 0 AND NOT EXISTS (
      SELECT 1 FROM jc.pushes q WHERE q.connection_id = $1 AND q.record = p.record AND q.version > 0)`,
    [connectionId, [...left]],
  );
}

/** Whose results are others than before: they change with the invites of those that share the record. */
async function changed(tx: Sql, { org }: Place, before: Groups, after: Groups): Promise<string[]> {
  const others = new Map(
    [...before.keys()].map((subject) => [
      subject,
      differenceOf(before.get(subject) ?? [], after.get(subject) ?? []),
    ]),
  );
  const rows = await tx.all<{ contact: string }>(
    "SELECT DISTINCT contact FROM jc.invites WHERE org = $1 AND contact = ANY ($2::text[])",
    [org, [...others.values()].flat()],
  );
  const withInvites = new Set(rows.map(({ contact }) => contact));
  return [...others].flatMap(([subject, moved]) =>
    moved.some((other) => withInvites.has(other)) ? [subject] : [],
  );
}

/** Those of them that have a push. */
async function raiseAll(
  tx: Sql,
  { connectionId, holdCause }: Place,
  subjects: readonly string[],
  now: number,
): Promise<void> {
  const rows = await tx.all<{ subject: string }>(
    "SELECT subject FROM jc.pushes WHERE connection_id = $1 AND subject = ANY ($2::text[]) AND state <> 'never' ORDER BY id",
    [connectionId, subjects],
  );
  const versions = await nextVersions(tx, rows.length);
  await raisePushes(
    tx,
    rows.map(({ subject }, index) => ({
      connectionId,
      subject,
      version: versions[index] ?? 0,
      now,
      holdCause,
      runId: null,
    })),
  );
}

function differenceOf(some: readonly string[], others: readonly string[]): string[] {
  return [
    ...some.filter((subject) => !others.includes(subject)),
    ...others.filter((subject) => !some.includes(subject)),
  ];
}
