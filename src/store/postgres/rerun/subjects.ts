import type { InviteStatus } from "../../../core/event.ts";
import type { RerunVerbs, SubjectPage, SubjectQuery } from "../../contract/rerun.ts";
import { type PushRow, pushOf } from "../../rows/rows.ts";
import { PUSH_COLUMNS } from "../rows/columns.ts";
import { type Holder, type StatesOf, statesOf, together } from "../rows/invites-of.ts";
import { named } from "../server/named.ts";
import type { Db, Sql } from "../../../postgres/sql.ts";

/** Walking over all that a destination might hold, in pages. */
export function createSubjects(db: Db): Pick<RerunVerbs, "subjects"> {
  return { subjects: (query) => subjects(db.read, query) };
}

async function subjects(sql: Sql, query: SubjectQuery): Promise<SubjectPage> {
  const { connectionId, limit } = query;
  const connection = await sql.get<Holder>("SELECT id, org, subject_kind FROM jc.connections WHERE id = $1", [
    connectionId,
  ]);
  if (!connection) return { subjects: [], next: null };
  const page = await sql.all<{ subject: string }>(...pageOf(connection, query));
  const found = page.map(({ subject }) => subject);
  const pushes = await pushesOf(sql, connectionId, found);
  const states = await statesOfRecords(sql, connection, found);
  return {
    subjects: found.map((subject) => {
      const { invites, newestVersion, forgotten } = states(subject);
      const push = pushes.get(subject);
      return { subject, invites, forgotten, carries: newestVersion, push: push ? pushOf(push) : null };
    }),
    next: found.length < limit ? null : (found.at(-1) ?? null),
  };
}

function pageOf(
  { id, org, subject_kind: kind }: Holder,
  { status, after = "", limit }: SubjectQuery,
): [text: string, values: unknown[]] {
  const values = { connectionId: id, org, status, after, limit };
  // No index holds these subjects but that of the pushes, and who walks over them asks for those.
  if (kind === "result")
    return named(
      "SELECT subject FROM jc.pushes WHERE connection_id = @connectionId AND subject > @after ORDER BY subject LIMIT @limit",
      values,
    );
  return named(
    `SELECT DISTINCT ${kind} AS subject FROM jc.invites WHERE org = @org AND ${kind} > @after ${conditionFor(status)}
      ORDER BY subject LIMIT @limit`,
    values,
  );
}

function conditionFor(status: InviteStatus | undefined): string {
  if (status === undefined) return "";
  // As a literal, so that the small index on these alone serves the sweep.
  return status === "in_progress" ? "AND status = 'in_progress'" : "AND status = @status";
}

async function pushesOf(
  sql: Sql,
  connectionId: number,
  wanted: readonly string[],
): Promise<Map<string, PushRow>> {
  const rows = await sql.all<PushRow>(
    `${PUSH_COLUMNS} WHERE p.connection_id = $1 AND p.subject = ANY ($2::text[]) AND p.state <> 'never'`,
    [connectionId, wanted],
  );
  return new Map(rows.map((row) => [row.subject, row]));
}

/** Each with those that are the same record. */
async function statesOfRecords(
  sql: Sql,
  holder: Holder,
  wanted: readonly string[],
): Promise<(subject: string) => StatesOf> {
  const rows = await sql.all<{ subject: string; member: string }>(
    `SELECT p.subject, q.subject AS member FROM jc.pushes p
      JOIN jc.pushes q ON q.connection_id = p.connection_id AND q.record = p.record
      WHERE p.connection_id = $1 AND p.subject = ANY ($2::text[]) ORDER BY q.subject`,
    [holder.id, wanted],
  );
  const members = new Map<string, string[]>();
  for (const { subject, member } of rows) members.set(subject, [...(members.get(subject) ?? []), member]);
  const membersOf = (subject: string) => members.get(subject) ?? [subject];
  const states = await statesOf(sql, holder, [...new Set(wanted.flatMap(membersOf))]);
  return (subject) =>
    together(
      membersOf(subject).map(
        (each) => states.get(each) ?? { invites: [], newestVersion: 0, forgotten: null },
      ),
    );
}
