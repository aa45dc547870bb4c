import type { Invite } from "../../../core/invite.ts";
import type { SubjectKind } from "../../../core/push.ts";
import type { Db } from "../file/db.ts";
import { inviteOf } from "./rows.ts";

/** All invites of one subject, each as its row's JSON, and the newest version among them: what a projection is made of. */
export function createStatesOf(db: Db) {
  const columns = "SELECT state, state_version FROM invites WHERE org = ? AND";
  const byKind = {
    contact: db.prepare<[string, string], InviteStateRow>(`${columns} contact = ?`),
    assessment: db.prepare<[string, string], InviteStateRow>(`${columns} assessment = ?`),
  };
  return (org: string, kind: SubjectKind, subject: string): { states: string[]; newestVersion: number } => {
    const rows = byKind[kind].all(org, subject);
    return {
      states: rows.map((row) => row.state),
      newestVersion: rows.reduce((newest, row) => Math.max(newest, row.state_version), 0),
    };
  };
}

export function createInvitesOf(db: Db) {
  const statesOf = createStatesOf(db);
  return (org: string, kind: SubjectKind, subject: string): { invites: Invite[]; newestVersion: number } => {
    const { states, newestVersion } = statesOf(org, kind, subject);
    return { invites: states.map(inviteOf), newestVersion };
  };
}

interface InviteStateRow {
  state: string;
  state_version: number;
}
