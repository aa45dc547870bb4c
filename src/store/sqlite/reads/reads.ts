import { emailKey } from "../../../core/event.ts";
import type { Attempt, InviteHistory, InviteQuery, InviteSummary } from "../../contract/store.ts";
import type { Db } from "../file/db.ts";
import { createFigures } from "./figures.ts";
import { createOrgs, createOverview } from "./overview.ts";
import { PUSH_COLUMNS } from "../rows/columns.ts";
import { type EventRow, historyEventOf, type InviteRow, summaryOf, withShared } from "../../rows/history.ts";
import { inviteOf, type PushRow } from "../../rows/rows.ts";
import { SUBJECT_COLUMN } from "../../rows/subject-sql.ts";

/** What people look at. Nothing here changes a row, and nothing here grows with the log but `invite`'s own history. */
export function createReads(db: Db) {
  const inviteColumns = `SELECT id, org, contact, assessment, ${SUBJECT_COLUMN.result} AS result, state_version, state FROM invites i WHERE org = @org`;
  const pushesOf = db.prepare<InviteRow, PushRow>(`
    ${PUSH_COLUMNS} AND p.subject = CASE c.subject_kind WHEN 'contact' THEN @contact WHEN 'assessment' THEN @assessment ELSE @result END
    WHERE c.org = @org AND p.state <> 'never' ORDER BY c.vendor, c.environment`);
  const pushesOfInvite = (row: InviteRow) =>
    pushesOf.all(row).map((push) => ({ id: push.id, summary: summaryOf(push, row.state_version) }));

  const fitting = (query: Omit<InviteQuery, "limit">) => ({
    where: [
      query.status === undefined ? "" : "AND status = @status",
      query.email === undefined ? "" : "AND contact = @contact",
      query.assessmentId === undefined ? "" : "AND assessment = @assessmentId",
      query.askedBy === undefined
        ? ""
        : "AND assessment IS NOT NULL AND state ->> '$.origin.vendor' = @askedBy",
      query.since === undefined ? "" : "AND at >= @since",
      query.until === undefined ? "" : "AND at < @until",
    ].join(" "),
    values: { ...query, contact: query.email === undefined ? undefined : emailKey(query.email) },
  });
  const invites = (query: InviteQuery): InviteSummary[] => {
    const { where, values } = fitting(query);
    const rows = db
      .prepare<object, InviteRow>(`${inviteColumns} ${where} ORDER BY at DESC, id DESC LIMIT @limit`)
      .all(values);
    return rows.map((row) => ({
      invite: inviteOf(row.state),
      pushes: pushesOfInvite(row).map((push) => push.summary),
    }));
  };
  const countInvites = (query: Omit<InviteQuery, "limit">, atMost: number): number => {
    const { where, values } = fitting(query);
    const counted = `SELECT 1 FROM invites WHERE org = @org ${where} LIMIT @atMost`;
    const count = db.prepare<object, number>(`SELECT count(*) FROM (${counted})`).pluck();
    return count.get({ ...values, atMost }) ?? 0;
  };

  const eventsOf = db.prepare<[number], EventRow>(`
    SELECT e.source, e.event_id, e.type, e.at, e.received_at, e.conflict, c.status AS told
    FROM events e LEFT JOIN confirmations c ON c.seq = e.seq WHERE e.invite_id = ? ORDER BY e.seq`);
  const attemptsOf = db.prepare<[number], Omit<Attempt, "vendor">>(`
    SELECT at, version, outcome, http_status AS httpStatus, correlation_id AS correlationId, duration_ms AS durationMs, reason
    FROM attempts WHERE push_id = ? ORDER BY id`);
  const sharedOf = db.prepare<[number], { record: string; subject: string }>(`
    SELECT q.record, q.subject FROM pushes p JOIN pushes q ON q.connection_id = p.connection_id AND q.record = p.record
    WHERE p.id = ? AND q.id <> p.id ORDER BY q.subject`);
  const oneInvite = db.prepare<object, InviteRow>(`${inviteColumns} AND invitation_id = @invitationId`);
  const invite = (org: string, invitationId: string): InviteHistory | null => {
    const row = oneInvite.get({ org, invitationId });
    if (!row) return null;
    const pushes = pushesOfInvite(row);
    return {
      invite: inviteOf(row.state),
      events: eventsOf.all(row.id).map(historyEventOf),
      pushes: pushes.map(({ id, summary }) => withShared(summary, sharedOf.all(id))),
      attempts: pushes
        .flatMap(({ id, summary }) =>
          attemptsOf.all(id).map((attempt) => ({
            ...attempt,
            vendor: summary.vendor,
            environment: summary.environment,
          })),
        )
        .sort((a, b) => a.at - b.at),
      stateVersion: row.state_version,
    };
  };

  return {
    invites,
    countInvites,
    invite,
    orgs: createOrgs(db),
    overview: createOverview(db),
    figures: createFigures(db),
  };
}
