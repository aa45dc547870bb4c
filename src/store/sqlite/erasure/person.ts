import { emailKey } from "../../../core/event.ts";
import type { Invite } from "../../../core/invite.ts";
import type { SubjectKind } from "../../../core/push.ts";
import type { ToldAccount } from "../../contract/erasure.ts";
import type { Db } from "../file/db.ts";
import { createMembersOf } from "../rows/shared-record.ts";
import { inviteOf, NO_CONTACT } from "../../rows/rows.ts";
import { SUBJECT_COLUMN } from "../../rows/subject-sql.ts";
import {
  candidateOf,
  distinct,
  dropIds,
  type MentionsByTable,
  placesIn,
  type Theirs,
} from "../../rows/theirs.ts";
import { GOING } from "../../rows/erasure-rules.ts";

/** Found by indexes, beside what was found by looking through all texts. */
export function createFindPerson(db: Db) {
  const byContact = db.prepare<[string, string], InviteRow>(
    "SELECT id, contact, state FROM invites WHERE org = ? AND contact = ?",
  );
  const byId = db.prepare<[number], InviteRow>("SELECT id, contact, state FROM invites WHERE id = ?");
  const eventsOf = db.prepare<[number], number>("SELECT seq FROM events WHERE invite_id = ?").pluck();
  const saidOf = db
    .prepare<[string, string, string], number>(
      "SELECT seq FROM confirmations WHERE org = ? AND vendor = ? AND candidate_id = ?",
    )
    .pluck();
  const askedOf = db
    .prepare<[string, string, string], number>(
      "SELECT seq FROM questions WHERE org = ? AND vendor = ? AND about ->> 'candidateId' = ?",
    )
    .pluck();
  const pushesOf = createPushesOf(db);

  return (org: string, addresses: readonly string[], mentioned: MentionsByTable): Theirs => {
    const isTheirs = ({ contact, state }: InviteRow) =>
      addresses.includes(contact === NO_CONTACT ? emailKey(inviteOf(state).candidate.email) : contact);
    const named = new Map(mentioned);
    const looked = (named.get("invites") ?? []).flatMap(({ id }) => byId.get(Number(id)) ?? []);
    const rows = [...addresses.flatMap((address) => byContact.all(org, address)), ...looked.filter(isTheirs)];
    const states = new Map(rows.map(({ id, state }) => [id, inviteOf(state)]));
    const candidates = distinct([...states.values()].flatMap(candidateOf));
    const events = new Set([
      ...[...states.keys()].flatMap((id) => eventsOf.all(id)),
      ...candidates.flatMap(({ vendor, candidateId }) => [
        ...saidOf.all(org, vendor, candidateId),
        ...askedOf.all(org, vendor, candidateId),
      ]),
      ...GOING.flatMap((table) => (named.get(table) ?? []).map(({ seq }) => Number(seq))),
    ]);
    for (const table of GOING) named.delete(table);
    const { told, pushes } = pushesOf(org, addresses, states);
    dropIds(named, "invites", new Set(states.keys()));
    dropIds(named, "pushes", new Set(pushes));
    return {
      person: {
        addresses: [...addresses],
        invitationIds: [...states.values()].map(({ invitationId }) => invitationId),
        candidates,
        told,
      },
      invites: [...states.keys()],
      events: [...events],
      pushes,
      named,
    };
  };
}

/** The address, and all that are one record with it at any of the org's accounts. */
export function createAddressesOf(db: Db) {
  const recordsOf = db.prepare<{ org: string; address: string }, { connectionId: number; record: string }>(`
    SELECT p.connection_id AS connectionId, p.record FROM connections c JOIN pushes p ON p.connection_id = c.id AND p.subject = @address
    WHERE c.org = @org AND c.subject_kind = 'contact' AND p.record IS NOT NULL`);
  const membersOf = createMembersOf(db);
  return (org: string, address: string): string[] => {
    const found = new Set([address]);
    for (const each of found)
      for (const { connectionId, record } of recordsOf.all({ org, address: each }))
        for (const member of membersOf(connectionId, record)) found.add(member);
    return [...found];
  };
}

function createPushesOf(db: Db) {
  const connections = db.prepare<[string], { id: number; kind: SubjectKind; vendor: string }>(
    "SELECT id, subject_kind AS kind, vendor FROM connections WHERE org = ?",
  );
  const push = db.prepare<[number, string], { id: number; record: string | null; receipt: string | null }>(
    "SELECT id, record, receipt FROM pushes WHERE connection_id = ? AND subject = ?",
  );
  const assessmentOf = db
    .prepare<[number], string | null>("SELECT assessment FROM invites WHERE id = ?")
    .pluck();
  const unaskedOf = db
    .prepare<[number], string>(
      `SELECT ${SUBJECT_COLUMN.result} FROM invites i WHERE id = ? AND assessment IS NULL`,
    )
    .pluck();
  // One that others were asked for, too, is theirs still.
  const isOthers = db
    .prepare<[string, string, string], number>(
      "SELECT 1 FROM invites WHERE org = ? AND assessment = ? AND id NOT IN (SELECT value FROM json_each(?))",
    )
    .pluck();
  return (org: string, addresses: readonly string[], states: ReadonlyMap<number, Invite>) => {
    const invites = [...states.keys()];
    const assessments = [...new Set(invites.flatMap((id) => assessmentOf.get(id) ?? []))].filter(
      (each) => isOthers.get(org, each, JSON.stringify(invites)) === undefined,
    );
    const subjectsOf: Record<SubjectKind, readonly string[]> = {
      contact: addresses,
      assessment: assessments,
      result: [...assessments, ...invites.flatMap((id) => unaskedOf.get(id) ?? [])],
    };
    const pushes: number[] = [];
    const told = connections.all(org).flatMap(({ id, kind, vendor }): ToldAccount[] => {
      const rows = subjectsOf[kind].flatMap((subject) => {
        const row = push.get(id, subject);
        return row ? [{ subject, ...row }] : [];
      });
      if (rows.length === 0) return [];
      pushes.push(...rows.map((each) => each.id));
      return [
        {
          connectionId: id,
          subjects: rows.map(({ subject }) => subject),
          records: distinct(rows.flatMap(({ record }) => (record?.startsWith("?") ? [] : (record ?? [])))),
          receipts: rows.flatMap(({ receipt }) => receipt ?? []),
          places: placesIn(vendor, [...states.values()]),
        },
      ];
    });
    return { told, pushes };
  };
}

interface InviteRow {
  id: number;
  contact: string;
  state: string;
}
