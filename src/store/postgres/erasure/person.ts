import { emailKey } from "../../../core/event.ts";
import type { Invite } from "../../../core/invite.ts";
import type { SubjectKind } from "../../../core/push.ts";
import type { ToldAccount } from "../../contract/erasure.ts";
import { GOING } from "../../rows/erasure-rules.ts";
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
import type { Sql } from "../../../postgres/sql.ts";

interface InviteRow {
  id: number;
  contact: string;
  state: string;
}

/** The address, and all that are one record with it at any of the org's accounts. */
export async function addressesOf(sql: Sql, org: string, address: string): Promise<string[]> {
  const rows = await sql.all<{ address: string }>(
    `WITH RECURSIVE same (address) AS (
      SELECT $2::text COLLATE "C"
      UNION
      SELECT m.subject FROM same s
        JOIN jc.connections c ON c.org = $1 AND c.subject_kind = 'contact'
        JOIN jc.pushes p ON p.connection_id = c.id AND p.subject = s.address AND p.record IS NOT NULL
        JOIN jc.pushes m ON m.connection_id = c.id AND m.record = p.record)
    SELECT address FROM same`,
    [org, address],
  );
  const others = rows.map((row) => row.address).filter((each) => each !== address);
  return [address, ...others];
}

/** Found by indexes, beside what was found by looking through all texts. */
export async function findPerson(
  sql: Sql,
  { org, addresses }: { org: string; addresses: readonly string[] },
  mentioned: MentionsByTable,
): Promise<Theirs> {
  const named = new Map(mentioned);
  const states = await invitesOfPerson(sql, { org, addresses }, named);
  const candidates = distinct([...states.values()].flatMap(candidateOf));
  const found = await sql.all<{ seq: number }>(
    `SELECT seq FROM jc.events WHERE invite_id = ANY ($1::bigint[])
      UNION SELECT d.seq FROM jc.confirmations d JOIN unnest($3::text[], $4::text[]) AS n (vendor, candidate)
        ON d.org = $2 AND d.vendor = n.vendor AND d.candidate_id = n.candidate
      UNION SELECT q.seq FROM jc.questions q JOIN unnest($3::text[], $4::text[]) AS n (vendor, candidate)
        ON q.org = $2 AND q.vendor = n.vendor AND q.about::jsonb ->> 'candidateId' = n.candidate`,
    [
      [...states.keys()],
      org,
      candidates.map(({ vendor }) => vendor),
      candidates.map(({ candidateId }) => candidateId),
    ],
  );
  const events = new Set([
    ...found.map(({ seq }) => seq),
    ...GOING.flatMap((table) => (named.get(table) ?? []).map(({ seq }) => Number(seq))),
  ]);
  for (const table of GOING) named.delete(table);
  const { told, pushes } = await pushesOf(sql, { org, addresses, states });
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
}

async function invitesOfPerson(
  sql: Sql,
  { org, addresses }: { org: string; addresses: readonly string[] },
  named: MentionsByTable,
) {
  const rows = await sql.all<InviteRow>(
    `SELECT id, contact, state FROM jc.invites WHERE org = $1 AND contact = ANY ($2::text[])
      UNION SELECT id, contact, state FROM jc.invites WHERE id = ANY ($3::bigint[]) ORDER BY id`,
    [org, addresses, (named.get("invites") ?? []).map(({ id }) => Number(id))],
  );
  const isTheirs = ({ contact, state }: InviteRow) =>
    addresses.includes(contact === NO_CONTACT ? emailKey(inviteOf(state).candidate.email) : contact);
  return new Map(rows.filter(isTheirs).map(({ id, state }) => [id, inviteOf(state)]));
}

async function pushesOf(
  sql: Sql,
  {
    org,
    addresses,
    states,
  }: { org: string; addresses: readonly string[]; states: ReadonlyMap<number, Invite> },
): Promise<{ told: ToldAccount[]; pushes: number[] }> {
  const invites = [...states.keys()];
  // One that others were asked for, too, is theirs still.
  const asked = await sql.all<{ assessment: string }>(
    `SELECT DISTINCT assessment FROM jc.invites i WHERE id = ANY ($2::bigint[]) AND assessment IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM jc.invites o WHERE o.org = $1 AND o.assessment = i.assessment AND o.id <> ALL ($2::bigint[]))`,
    [org, invites],
  );
  const unasked = await sql.all<{ subject: string }>(
    `SELECT ${SUBJECT_COLUMN.result} AS subject FROM jc.invites i WHERE id = ANY ($1::bigint[]) AND assessment IS NULL`,
    [invites],
  );
  const assessments = asked.map(({ assessment }) => assessment);
  const subjectsOf: Record<SubjectKind, readonly string[]> = {
    contact: addresses,
    assessment: assessments,
    result: [...assessments, ...unasked.map(({ subject }) => subject)],
  };
  const connections = await sql.all<{ id: number; kind: SubjectKind; vendor: string }>(
    "SELECT id, subject_kind AS kind, vendor FROM jc.connections WHERE org = $1 ORDER BY id",
    [org],
  );
  const pushes: number[] = [];
  const told: ToldAccount[] = [];
  for (const { id, kind, vendor } of connections) {
    const rows = await sql.all<{
      id: number;
      subject: string;
      record: string | null;
      receipt: string | null;
    }>(
      "SELECT id, subject, record, receipt FROM jc.pushes WHERE connection_id = $1 AND subject = ANY ($2::text[]) ORDER BY id",
      [id, subjectsOf[kind]],
    );
    if (rows.length === 0) continue;
    pushes.push(...rows.map((row) => row.id));
    told.push({
      connectionId: id,
      subjects: rows.map(({ subject }) => subject),
      records: distinct(rows.flatMap(({ record }) => (record?.startsWith("?") ? [] : (record ?? [])))),
      receipts: rows.flatMap(({ receipt }) => receipt ?? []),
      places: placesIn(vendor, [...states.values()]),
    });
  }
  return { told, pushes };
}
