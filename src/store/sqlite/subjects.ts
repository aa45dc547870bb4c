import type { HeldCause, SubjectKind } from "../../core/push.ts";
import type { SubjectPage, SubjectQuery } from "../contract.ts";
import { createRaise } from "./append.ts";
import { createInvitesOf } from "./claims.ts";
import type { Db } from "./file.ts";
import { type PushRow, pushOf } from "./rows.ts";
import { nextVersions } from "./versions.ts";

/** Walking over all that a destination might hold, in pages, and making some of it due. */
export function createSubjects(db: Db) {
  const connectionOf = db.prepare<
    [number],
    { org: string; subject_kind: SubjectKind; hold_cause: HeldCause | null }
  >("SELECT org, subject_kind, hold_cause FROM connections WHERE id = ?");
  const pageOf = (column: SubjectKind, condition: string) =>
    db
      .prepare<{ org: string; status: string; after: string; limit: number }, string>(
        `SELECT DISTINCT ${column} FROM invites WHERE org = @org AND ${column} > @after AND ${condition} ORDER BY ${column} LIMIT @limit`,
      )
      .pluck();
  const pages = {
    contact: { all: pageOf("contact", "@status = ''"), status: pageOf("contact", "status = @status") },
    assessment: {
      all: pageOf("assessment", "@status = ''"),
      status: pageOf("assessment", "status = @status"),
    },
  };
  const inProgress = pageOf("contact", "status = 'in_progress' AND @status = 'in_progress'");
  const pushFor = db.prepare<[number, string], PushRow>(
    `${PUSH_COLUMNS} WHERE p.connection_id = ? AND p.subject = ? AND p.state <> 'never'`,
  );
  const invitesOf = createInvitesOf(db);

  const subjects = (query: SubjectQuery): SubjectPage => {
    const connection = connectionOf.get(query.connectionId);
    if (!connection) return { subjects: [], next: null };
    const { org, subject_kind: kind } = connection;
    const isSweep = kind === "contact" && query.status === "in_progress";
    const page = isSweep ? inProgress : pages[kind][query.status ? "status" : "all"];
    const found = page.all({ org, status: query.status ?? "", after: query.after ?? "", limit: query.limit });
    return {
      subjects: found.map((subject) => {
        const push = pushFor.get(query.connectionId, subject);
        const { invites, newestVersion } = invitesOf(org, kind, subject);
        return { subject, invites, carries: newestVersion, push: push ? pushOf(push) : null };
      }),
      next: found.length < query.limit ? null : (found.at(-1) ?? null),
    };
  };

  const versions = nextVersions(db);
  const raise = createRaise(db);
  const raiseAll = db.transaction((connectionId: number, names: readonly string[], now: number): number => {
    const connection = connectionOf.get(connectionId);
    if (!connection) return 0;
    versions.begin();
    for (const subject of names) {
      raise({ connectionId, subject, version: versions.next(), now, holdCause: connection.hold_cause });
    }
    versions.commit();
    return names.length;
  });

  const confirmOne = db.prepare(`
    UPDATE pushes SET delivered_version = max(delivered_version, @carries)
    WHERE connection_id = @connectionId AND subject = @subject AND state = 'delivered' AND version <= @carries`);
  const confirm = db.transaction(
    (connectionId: number, known: readonly { subject: string; carries: number }[]) => {
      for (const one of known) confirmOne.run({ connectionId, ...one });
    },
  );

  /** The rows stay for their attempts' sake; the state `never` hides them until something raises them again. */
  const forgetAccount = db.prepare(`
    UPDATE pushes SET state = iif(state IN ('delivered', 'rejected'), 'never', state),
      delivered_version = 0, projection = NULL, rejection = NULL, warnings = NULL
    WHERE connection_id = ?`);
  const countUnpushed = {
    contact: db
      .prepare<{ org: string; connectionId: number }, number>(`
        SELECT count(DISTINCT contact) FROM invites WHERE org = @org AND status <> 'invited' AND NOT EXISTS
          (SELECT 1 FROM pushes WHERE connection_id = @connectionId AND subject = contact AND state <> 'never')`)
      .pluck(),
    assessment: db
      .prepare<{ org: string; connectionId: number }, number>(`
        SELECT count(*) FROM invites WHERE org = @org AND assessment IS NOT NULL AND status = 'completed' AND NOT EXISTS
          (SELECT 1 FROM pushes WHERE connection_id = @connectionId AND subject = assessment AND state <> 'never')`)
      .pluck(),
  };

  return {
    subjects,
    raise: raiseAll.immediate,
    confirm: confirm.immediate,
    forgetAccount: (connectionId: number) => {
      forgetAccount.run(connectionId);
    },
    countUnpushed: (connectionId: number) => {
      const connection = connectionOf.get(connectionId);
      if (!connection) return 0;
      return countUnpushed[connection.subject_kind].get({ org: connection.org, connectionId }) ?? 0;
    },
  };
}

export const PUSH_COLUMNS = `
  SELECT p.id, c.vendor, c.environment, p.subject, p.state, p.held_cause, p.version, p.delivered_version,
    p.pending_since, p.due_at, p.projection, p.rejection, p.warnings
  FROM pushes p JOIN connections c ON c.id = p.connection_id`;
