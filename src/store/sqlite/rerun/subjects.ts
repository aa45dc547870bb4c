import type { InviteStatus } from "../../../core/event.ts";
import type { SubjectKind } from "../../../core/push.ts";
import type { SubjectPage, SubjectQuery } from "../../contract/store.ts";
import type { Db } from "../file/db.ts";
import { createInvitesOf, type Holder } from "../rows/invites-of.ts";
import { PUSH_COLUMNS } from "../rows/columns.ts";
import { type PushRow, pushOf } from "../../rows/rows.ts";

/** Walking over all that a destination might hold, in pages. */
export function createSubjects(db: Db) {
  const connectionOf = db.prepare<[number], Holder>(
    "SELECT id, org, subject_kind FROM connections WHERE id = ?",
  );
  const pageOf = (kind: Exclude<SubjectKind, "result">, status: InviteStatus | undefined) =>
    db
      .prepare<object, string>(`
        SELECT DISTINCT ${kind} FROM invites WHERE org = @org AND ${kind} > @after ${conditionFor(status)}
        ORDER BY ${kind} LIMIT @limit`)
      .pluck();
  // No index holds these subjects but that of the pushes, and who walks over them asks for those.
  const pageOfResults = db
    .prepare<object, string>(`
      SELECT subject FROM pushes WHERE connection_id = @connectionId AND subject > @after ORDER BY subject LIMIT @limit`)
    .pluck();
  const pushFor = db.prepare<[number, string], PushRow>(
    `${PUSH_COLUMNS} WHERE p.connection_id = ? AND p.subject = ? AND p.state <> 'never'`,
  );
  const invitesOf = createInvitesOf(db);

  const subjects = ({ connectionId, status, after = "", limit }: SubjectQuery): SubjectPage => {
    const connection = connectionOf.get(connectionId);
    if (!connection) return { subjects: [], next: null };
    const { org, subject_kind: kind } = connection;
    const page = { connectionId, org, status, after, limit };
    const found = kind === "result" ? pageOfResults.all(page) : pageOf(kind, status).all(page);
    return {
      subjects: found.map((subject) => {
        const push = pushFor.get(connectionId, subject);
        const { invites, newestVersion, forgotten } = invitesOf(connection, subject);
        return { subject, invites, forgotten, carries: newestVersion, push: push ? pushOf(push) : null };
      }),
      next: found.length < limit ? null : (found.at(-1) ?? null),
    };
  };

  return { subjects };
}

function conditionFor(status: InviteStatus | undefined): string {
  if (status === undefined) return "";
  // As a literal, so that the small index on these alone serves the sweep.
  return status === "in_progress" ? "AND status = 'in_progress'" : "AND status = @status";
}
