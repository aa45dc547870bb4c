import { emailKey } from "../../../core/event.ts";
import type { Attempt, InviteHistory, InviteQuery, ReadVerbs } from "../../contract/reads.ts";
import { type EventRow, historyEventOf, type InviteRow, summaryOf, withShared } from "../../rows/history.ts";
import { inviteOf, type PushRow } from "../../rows/rows.ts";
import { SUBJECT_COLUMN } from "../../rows/subject-sql.ts";
import { ATTEMPT_COLUMNS, PUSH_COLUMNS } from "../rows/columns.ts";
import { named } from "../server/named.ts";
import type { Db, Sql } from "../../../postgres/sql.ts";
import { figures } from "./figures.ts";
import { orgs, overview } from "./overview.ts";

type Looks = Pick<ReadVerbs, "invites" | "countInvites" | "invite" | "orgs" | "overview" | "figures">;

/** What people look at. Nothing here changes a row, and nothing here grows with the log but `invite`'s own history. */
export function createReads(db: Db): Looks {
  return {
    invites: async (query) => {
      const { where, values } = fitting(query);
      const rows = await db.read.all<InviteRow>(
        ...named(`${INVITES} ${where} ORDER BY i.at DESC, i.id DESC LIMIT @limit`, {
          ...values,
          limit: query.limit,
        }),
      );
      const pushes = await pushesOf(db.read, query.org, rows);
      return rows.map(({ id, state, state_version: version }) => ({
        invite: inviteOf(state),
        pushes: (pushes.get(id) ?? []).map((push) => summaryOf(push, version)),
      }));
    },
    countInvites: async (query, atMost) => {
      const { where, values } = fitting(query);
      const counted = `SELECT 1 FROM jc.invites i WHERE i.org = @org ${where} LIMIT @atMost`;
      const row = await db.read.get<{ n: number }>(
        ...named(`SELECT count(*) AS n FROM (${counted}) AS counted`, { ...values, atMost }),
      );
      return row?.n ?? 0;
    },
    invite: (org, invitationId) => historyOf(db.read, org, invitationId),
    orgs: () => orgs(db.read),
    overview: (org, now) => overview(db.read, org, now),
    figures: (query) => figures(db.read, query),
  };
}

const INVITES = `SELECT i.id, i.org, i.contact, i.assessment, ${SUBJECT_COLUMN.result} AS result, i.state_version, i.state
  FROM jc.invites i WHERE i.org = @org`;

function fitting(query: Omit<InviteQuery, "limit">) {
  const { org, status, email, assessmentId, askedBy, since, until } = query;
  return {
    where: [
      status === undefined ? "" : "AND i.status = @status",
      email === undefined ? "" : "AND i.contact = @contact",
      assessmentId === undefined ? "" : "AND i.assessment = @assessmentId",
      askedBy === undefined
        ? ""
        : "AND i.assessment IS NOT NULL AND i.state::jsonb #>> '{origin,vendor}' = @askedBy",
      since === undefined ? "" : "AND i.at >= @since",
      until === undefined ? "" : "AND i.at < @until",
    ].join(" "),
    values: {
      org,
      status,
      contact: email === undefined ? undefined : emailKey(email),
      assessmentId,
      askedBy,
      since,
      until,
    },
  };
}

/** By the invites' ids. */
async function pushesOf(
  sql: Sql,
  org: string,
  invites: readonly InviteRow[],
): Promise<Map<number, PushRow[]>> {
  const rows =
    invites.length === 0
      ? []
      : await sql.all<PushRow & { invite: number }>(
          ...named(
            `SELECT o.invite, q.* FROM unnest(@ids::bigint[], @contacts::text[], @assessments::text[], @results::text[])
                AS o (invite, contact, assessment, result)
              CROSS JOIN LATERAL (${PUSH_COLUMNS} AND p.subject = CASE c.subject_kind WHEN 'contact' THEN o.contact
                  WHEN 'assessment' THEN o.assessment ELSE o.result END
                WHERE c.org = @org AND p.state <> 'never') AS q
              ORDER BY q.vendor, q.environment`,
            {
              org,
              ids: invites.map(({ id }) => id),
              contacts: invites.map(({ contact }) => contact),
              assessments: invites.map(({ assessment }) => assessment),
              results: invites.map(({ result }) => result),
            },
          ),
        );
  const byInvite = new Map<number, PushRow[]>(invites.map(({ id }) => [id, []]));
  for (const { invite, ...push } of rows) byInvite.get(invite)?.push(push);
  return byInvite;
}

async function historyOf(sql: Sql, org: string, invitationId: string): Promise<InviteHistory | null> {
  const row = await sql.get<InviteRow>(
    ...named(`${INVITES} AND i.invitation_id = @invitationId`, { org, invitationId }),
  );
  if (!row) return null;
  const pushes = (await pushesOf(sql, org, [row])).get(row.id) ?? [];
  const ids = pushes.map(({ id }) => id);
  const events = await sql.all<EventRow>(
    `SELECT e.source, e.event_id, e.type, e.at, e.received_at, e.conflict, c.status AS told
      FROM jc.events e LEFT JOIN jc.confirmations c ON c.seq = e.seq WHERE e.invite_id = $1 ORDER BY e.seq`,
    [row.id],
  );
  const shared = await sql.all<{ id: number; record: string; subject: string }>(
    `SELECT p.id, q.record, q.subject FROM jc.pushes p JOIN jc.pushes q ON q.connection_id = p.connection_id AND q.record = p.record
      WHERE p.id = ANY ($1::bigint[]) AND q.id <> p.id ORDER BY q.subject`,
    [ids],
  );
  const attempts = await sql.all<Omit<Attempt, "vendor"> & { push: number }>(
    `SELECT a.push_id AS push, ${ATTEMPT_COLUMNS} FROM jc.attempts a WHERE a.push_id = ANY ($1::bigint[]) ORDER BY a.id`,
    [ids],
  );
  return {
    invite: inviteOf(row.state),
    events: events.map(historyEventOf),
    pushes: pushes.map((push) =>
      withShared(
        summaryOf(push, row.state_version),
        shared.filter(({ id }) => id === push.id),
      ),
    ),
    attempts: pushes
      .flatMap(({ id, vendor, environment }) =>
        attempts
          .filter((attempt) => attempt.push === id)
          .map(({ push: _, ...attempt }) => ({ ...attempt, vendor, environment })),
      )
      .sort((a, b) => a.at - b.at),
    stateVersion: row.state_version,
  };
}
