import type { Invite } from "../../../core/invite.ts";
import type { SubjectKind } from "../../../core/push.ts";
import type { Db } from "../file/db.ts";
import { inviteOf } from "./rows.ts";
import { createSubjectsOf } from "./shared-record.ts";

/** A connection as far as it tells whose invites a subject's are. */
export interface Holder {
  id: number;
  org: string;
  subject_kind: SubjectKind;
}

/**
 * All invites of some subjects, each as its row's JSON, and the newest version among them: what a projection is made
 * of. Several subjects that are one record of the vendor's share it.
 */
export function createStatesOf(db: Db) {
  const columns = "SELECT state, state_version FROM invites WHERE org = ? AND";
  const byKind = {
    contact: db.prepare<[string, string], InviteStateRow>(`${columns} contact = ?`),
    assessment: db.prepare<[string, string], InviteStateRow>(`${columns} assessment = ?`),
  };
  return (
    { org, subject_kind: kind }: Omit<Holder, "id">,
    subjects: readonly string[],
  ): { states: string[]; newestVersion: number } => {
    const rows = subjects.flatMap((subject) => byKind[kind].all(org, subject));
    return {
      states: rows.map((row) => row.state),
      newestVersion: rows.reduce((newest, row) => Math.max(newest, row.state_version), 0),
    };
  };
}

/** Of one subject, and of those that are the same record. */
export function createInvitesOf(db: Db) {
  const statesOf = createStatesOf(db);
  const subjectsOf = createSubjectsOf(db);
  return (holder: Holder, subject: string): { invites: Invite[]; newestVersion: number } => {
    const { states, newestVersion } = statesOf(holder, subjectsOf(holder.id, subject));
    return { invites: states.map(inviteOf), newestVersion };
  };
}

interface InviteStateRow {
  state: string;
  state_version: number;
}
