import type { HeldCause, SeenRecord } from "../../../core/push.ts";
import type { Db } from "../file/db.ts";
import { createVersions } from "../file/versions.ts";
import { createRaise } from "../intake/raise.ts";
import { createMembersOf, createSubjectsOf } from "../rows/shared-record.ts";

export interface Seen {
  pushId: number;
  record: SeenRecord;
  now: number;
}

/**
 * Notes which record of the vendor's a push turned out to be. Where that changes which subjects are one record, all
 * whose results are others than before are raised. A part of the transaction that settles the push: cut off before it, the
 * push is told again, and its answer says the same.
 */
export function createNoteRecord(db: Db): (seen: Seen) => void {
  // As nearly always: nobody knew its record, and nobody else is it.
  const rememberAlone = db.prepare(`
    UPDATE pushes AS p SET record = @id WHERE p.id = @pushId AND p.record IS NULL
      AND NOT EXISTS (SELECT 1 FROM pushes q WHERE q.connection_id = p.connection_id AND q.record = @id)`);
  // Another one was this record when it was told last. Which of them is it now, only the record itself tells: a mark that is
  // no vendor's id, and nobody else's, has it looked at with the next answer.
  const doubt = db.prepare("UPDATE pushes SET record = '?' || id WHERE id = ? AND record IS NULL");
  const placeOf = db.prepare<[number], Place>(`
    SELECT p.connection_id AS connectionId, p.subject, c.org, c.hold_cause AS holdCause
    FROM pushes p JOIN connections c ON c.id = p.connection_id WHERE p.id = ?`);
  const membersOf = createMembersOf(db);
  const subjectsOf = createSubjectsOf(db);
  const regroup = createRegroup(db);
  const raiseAll = createRaiseAll(db);
  const changed = createChanged(db);

  return ({ pushId, record: { id, subjects: told, isNew }, now }) => {
    const isDoubtful = () => !isNew && doubt.run(pushId).changes > 0;
    if (told === undefined && (rememberAlone.run({ pushId, id }).changes > 0 || !isDoubtful())) return;
    const place = placeOf.get(pushId);
    if (!place) return;
    const { connectionId, subject } = place;
    if (told === undefined) return raiseAll(place, [subject], now);
    const present = membersOf(connectionId, id);
    const subjects = new Set([subject, ...told]);
    const concerned = new Set(
      [...subjects, ...present].flatMap((each) => [each, ...subjectsOf(connectionId, each)]),
    );
    const groups = () => new Map([...concerned].map((each) => [each, subjectsOf(connectionId, each)]));
    const before = groups();
    regroup(connectionId, { id, subjects, leaving: present.filter((each) => !subjects.has(each)) });
    raiseAll(place, changed(place, before, groups()), now);
  };
}

/** Makes these subjects, and no others, the record. */
function createRegroup(db: Db) {
  const join = db.prepare(`
    INSERT INTO pushes (connection_id, subject, state, version, record) VALUES (@connectionId, @subject, 'never', 0, @id)
    ON CONFLICT (connection_id, subject) DO UPDATE SET record = excluded.record`);
  const leave = db.prepare("UPDATE pushes SET record = NULL WHERE connection_id = ? AND subject = ?");
  const recordOf = db
    .prepare<[number, string], string>(
      "SELECT record FROM pushes WHERE connection_id = ? AND subject = ? AND record IS NOT NULL",
    )
    .pluck();
  const forgetStrays = db.prepare(`
    DELETE FROM pushes WHERE connection_id = @connectionId AND record = @record AND version = 0 AND NOT EXISTS (
      SELECT 1 FROM pushes q WHERE q.connection_id = @connectionId AND q.record = @record AND q.version > 0)`);
  const forget = db.prepare("DELETE FROM pushes WHERE connection_id = ? AND subject = ? AND version = 0");

  return (
    connectionId: number,
    { id, subjects, leaving }: { id: string; subjects: ReadonlySet<string>; leaving: readonly string[] },
  ) => {
    const left = new Set<string>();
    for (const subject of subjects) {
      const record = recordOf.get(connectionId, subject);
      if (record === id) continue;
      if (record !== undefined) left.add(record);
      join.run({ connectionId, subject, id });
    }
    for (const subject of leaving) {
      leave.run(connectionId, subject);
      forget.run(connectionId, subject);
    }
    for (const record of left) forgetStrays.run({ connectionId, record });
  };
}

/** Whose results are others than before: they change with the invites of those that share the record. */
function createChanged(db: Db) {
  const hasInvites = db
    .prepare<[string, string], number>("SELECT 1 FROM invites WHERE org = ? AND contact = ? LIMIT 1")
    .pluck();
  return ({ org }: Place, before: Groups, after: Groups): string[] =>
    [...before.keys()].filter((subject) =>
      differenceOf(before.get(subject) ?? [], after.get(subject) ?? []).some((other) =>
        hasInvites.get(org, other),
      ),
    );
}

/** Those of them that have a push. */
function createRaiseAll(db: Db) {
  const hasPush = db
    .prepare<[number, string], number>(
      "SELECT 1 FROM pushes WHERE connection_id = ? AND subject = ? AND state <> 'never'",
    )
    .pluck();
  const raise = createRaise(db);
  const withVersions = createVersions(db);
  return ({ connectionId, holdCause }: Place, subjects: readonly string[], now: number) => {
    withVersions((nextVersion) => {
      for (const subject of subjects) {
        if (hasPush.get(connectionId, subject) === undefined) continue;
        const version = nextVersion();
        raise({ connectionId, subject, version, now, holdCause, urgent: false, runId: null });
      }
    });
  };
}

type Groups = ReadonlyMap<string, readonly string[]>;

function differenceOf(some: readonly string[], others: readonly string[]): string[] {
  return [
    ...some.filter((subject) => !others.includes(subject)),
    ...others.filter((subject) => !some.includes(subject)),
  ];
}

interface Place {
  connectionId: number;
  subject: string;
  org: string;
  holdCause: HeldCause | null;
}
