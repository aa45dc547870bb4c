import { type Forgotten, forgottenTogether } from "../../../core/forgotten.ts";
import type { Invite } from "../../../core/invite.ts";
import type { SubjectKind } from "../../../core/push.ts";
import { forgottenOf, inviteOf } from "../../rows/rows.ts";
import { isOfSubject } from "../../rows/subject-sql.ts";
import type { Sql } from "../../../postgres/sql.ts";

/** A connection as far as it tells whose invites a subject's are. */
export interface Holder {
  id: number;
  org: string;
  subject_kind: SubjectKind;
}

/** What a projection is made of. */
export interface StatesOf {
  invites: Invite[];
  /** Among them. */
  newestVersion: number;
  forgotten: Forgotten | null;
}

/** Of many subjects of one connection, each by itself. An assessment is forgotten whole. */
export async function statesOf(
  tx: Sql,
  { org, subject_kind: kind }: Omit<Holder, "id">,
  subjects: readonly string[],
): Promise<Map<string, StatesOf>> {
  const states = new Map<string, StatesOf>(
    subjects.map((subject) => [subject, { invites: [], newestVersion: 0, forgotten: null }]),
  );
  if (subjects.length === 0) return states;
  const wanted = [...states.keys()];
  const reading = tx.all<{ subject: string; state: string; state_version: number }>(
    `SELECT s.subject, i.state, i.state_version FROM unnest($2::text[]) AS s (subject)
      JOIN jc.invites i ON i.org = $1 AND ${isOfSubject(kind, "s.subject")} ORDER BY i.id`,
    [org, wanted],
  );
  const forgetting =
    kind === "contact"
      ? tx.all<{ contact: string; facts: string }>(
          "SELECT contact, facts FROM jc.forgotten WHERE org = $1 AND contact = ANY ($2::text[])",
          [org, wanted],
        )
      : [];
  const [rows, gone] = await Promise.all([reading, forgetting]);
  for (const { subject, state, state_version: version } of rows) {
    const known = states.get(subject);
    known?.invites.push(inviteOf(state));
    if (known) known.newestVersion = Math.max(known.newestVersion, version);
  }
  for (const { contact, facts } of gone) {
    const known = states.get(contact);
    if (known) known.forgotten = forgottenOf(facts);
  }
  return states;
}

/** Of several subjects that are one record of the vendor's. */
export function together(states: readonly StatesOf[]): StatesOf {
  return states.reduce((all, each) => ({
    invites: [...all.invites, ...each.invites],
    newestVersion: Math.max(all.newestVersion, each.newestVersion),
    forgotten: forgottenTogether(all.forgotten, each.forgotten),
  }));
}

/** Of one subject, and of those that are the same record. */
export async function invitesOf(tx: Sql, holder: Holder, subject: string): Promise<StatesOf> {
  const subjects = await subjectsOf(tx, holder.id, subject);
  return together([...(await statesOf(tx, holder, subjects)).values()]);
}

/** All subjects that are this record, in order. */
export async function membersOf(tx: Sql, connectionId: number, record: string): Promise<string[]> {
  const rows = await tx.all<{ subject: string }>(
    "SELECT subject FROM jc.pushes WHERE connection_id = $1 AND record = $2 ORDER BY subject",
    [connectionId, record],
  );
  return rows.map(({ subject }) => subject);
}

/** The subject and all that are the same record. */
export async function subjectsOf(tx: Sql, connectionId: number, subject: string): Promise<string[]> {
  const row = await tx.get<{ record: string | null }>(
    "SELECT record FROM jc.pushes WHERE connection_id = $1 AND subject = $2",
    [connectionId, subject],
  );
  return row?.record ? await membersOf(tx, connectionId, row.record) : [subject];
}
