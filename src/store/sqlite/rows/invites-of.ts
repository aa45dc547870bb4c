import { type Forgotten, forgottenTogether } from "../../../core/forgotten.ts";
import type { Invite } from "../../../core/invite.ts";
import type { SubjectKind } from "../../../core/push.ts";
import type { Db } from "../file/db.ts";
import { forgottenOf, inviteOf } from "../../rows/rows.ts";
import { isOfSubject } from "../../rows/subject-sql.ts";
import { createSubjectsOf } from "./shared-record.ts";

/** A connection as far as it tells whose invites a subject's are. */
export interface Holder {
  id: number;
  org: string;
  subject_kind: SubjectKind;
}

/** What a projection is made of. */
export interface StatesOf {
  /** All invites of some subjects, each as its row's JSON. */
  states: string[];
  /** Among them. */
  newestVersion: number;
  /** `Forgotten` as JSON; null where nothing is. An assessment is forgotten whole. */
  forgotten: string | null;
}

/** Several subjects that are one record of the vendor's share it. */
export function createStatesOf(db: Db) {
  const statesOfKind = (kind: SubjectKind) =>
    db.prepare<{ org: string; subject: string }, InviteStateRow>(
      `SELECT state, state_version FROM invites i WHERE org = @org AND ${isOfSubject(kind, "@subject")}`,
    );
  const byKind = {
    contact: statesOfKind("contact"),
    assessment: statesOfKind("assessment"),
    result: statesOfKind("result"),
  };
  const facts = db
    .prepare<[string, string], string>("SELECT facts FROM forgotten WHERE org = ? AND contact = ?")
    .pluck();
  return ({ org, subject_kind: kind }: Omit<Holder, "id">, subjects: readonly string[]): StatesOf => {
    const rows = subjects.flatMap((subject) => byKind[kind].all({ org, subject }));
    const gone = kind === "contact" ? subjects.map((subject) => facts.get(org, subject)) : [];
    return {
      states: rows.map((row) => row.state),
      newestVersion: rows.reduce((newest, row) => Math.max(newest, row.state_version), 0),
      forgotten: together(gone.filter((each) => each !== undefined)),
    };
  };
}

/** Of one subject, and of those that are the same record. */
export function createInvitesOf(db: Db) {
  const statesOf = createStatesOf(db);
  const subjectsOf = createSubjectsOf(db);
  return (
    holder: Holder,
    subject: string,
  ): { invites: Invite[]; newestVersion: number; forgotten: Forgotten | null } => {
    const { states, newestVersion, forgotten } = statesOf(holder, subjectsOf(holder.id, subject));
    return { invites: states.map(inviteOf), newestVersion, forgotten: forgottenOf(forgotten) };
  };
}

function together(facts: readonly string[]): string | null {
  if (facts.length < 2) return facts[0] ?? null;
  return JSON.stringify(facts.map(forgottenOf).reduce(forgottenTogether));
}

interface InviteStateRow {
  state: string;
  state_version: number;
}
