import { MAX_TRIES } from "../../../core/delivery/retry.ts";
import { emailKey } from "../../../core/event.ts";
import { type HeldCause, type PushState, STUCK_AFTER_MS, type StuckCounts } from "../../../core/push.ts";
import type {
  Attempt,
  InviteHistory,
  InviteQuery,
  InviteSummary,
  Overview,
  QuestionCounts,
} from "../../contract/store.ts";
import { createOpenConsents } from "../connections/consents.ts";
import type { Db } from "../file/db.ts";
import type { Sliced } from "../file/slices.ts";
import {
  CONNECTION_COLUMNS,
  connectionOf,
  type ConnectionRow,
  inviteOf,
  PUSH_COLUMNS,
  pushOf,
  type PushRow,
} from "../rows/rows.ts";

/** What people look at. Nothing here changes a row, and nothing here grows with the log but `invite`'s own history. */
/** Rows looked at in one go, some 5 ms. */
const LOOKED_AT = 10_000;

export function createReads(db: Db) {
  const inviteColumns =
    "SELECT id, org, contact, assessment, state_version, state FROM invites WHERE org = @org";
  const pushesOf = db.prepare<InviteRow, PushRow>(`
    ${PUSH_COLUMNS} AND p.subject = iif(c.subject_kind = 'contact', @contact, @assessment)
    WHERE c.org = @org AND p.state <> 'never' ORDER BY c.vendor, c.environment`);
  const pushesOfInvite = (row: InviteRow) =>
    pushesOf.all(row).map((push) => ({
      id: push.id,
      summary: { ...pushOf(push), delivered: push.delivered_version >= row.state_version },
    }));

  const invites = (query: InviteQuery): InviteSummary[] => {
    const conditions = [
      inviteColumns,
      query.status === undefined ? "" : "AND status = @status",
      query.email === undefined ? "" : "AND contact = @contact",
      query.assessmentId === undefined ? "" : "AND assessment = @assessmentId",
      "ORDER BY at DESC, id DESC LIMIT @limit",
    ];
    const rows = db.prepare<object, InviteRow>(conditions.join(" ")).all({
      org: query.org,
      status: query.status,
      assessmentId: query.assessmentId,
      contact: query.email === undefined ? undefined : emailKey(query.email),
      limit: query.limit,
    });
    return rows.map((row) => ({
      invite: inviteOf(row.state),
      pushes: pushesOfInvite(row).map((push) => push.summary),
    }));
  };

  const eventsOf = db.prepare<[number], EventRow>(
    "SELECT source, event_id, type, at, received_at, conflict FROM events WHERE invite_id = ? ORDER BY seq",
  );
  const attemptsOf = db.prepare<[number], Omit<Attempt, "vendor">>(`
    SELECT at, version, outcome, http_status AS httpStatus, correlation_id AS correlationId, duration_ms AS durationMs, reason
    FROM attempts WHERE push_id = ? ORDER BY id`);
  const oneInvite = db.prepare<object, InviteRow>(`${inviteColumns} AND invitation_id = @invitationId`);
  const invite = (org: string, invitationId: string): InviteHistory | null => {
    const row = oneInvite.get({ org, invitationId });
    if (!row) return null;
    const pushes = pushesOfInvite(row);
    return {
      invite: inviteOf(row.state),
      events: eventsOf.all(row.id).map((event) => ({
        source: event.source,
        eventId: event.event_id,
        type: event.type,
        at: event.at,
        receivedAt: event.received_at,
        conflict: event.conflict === 1,
      })),
      pushes: pushes.map((push) => push.summary),
      attempts: pushes
        .flatMap(({ id, summary }) =>
          attemptsOf.all(id).map((attempt) => ({ ...attempt, vendor: summary.vendor })),
        )
        .sort((a, b) => a.at - b.at),
    };
  };

  const invitesOf = db.prepare<[string], number>("SELECT n FROM invite_counts WHERE org = ?").pluck();
  const counters = db.prepare<[], { name: string; value: number }>("SELECT name, value FROM counters");
  const connectionsOf = db.prepare<[string], ConnectionRow>(
    `${CONNECTION_COLUMNS} WHERE org = ? ORDER BY vendor, environment`,
  );
  const countsOf = db.prepare<[number], { state: PushState; n: number }>(
    "SELECT state, n FROM push_counts WHERE connection_id = ?",
  );
  const consentsOf = createOpenConsents(db);
  // A bare column is that of the row with the least.
  const questionsOf = db.prepare<[string], QuestionCounts>(`
    SELECT vendor, environment, count(*) AS n, min(asked_at) AS since, reason
    FROM questions WHERE org = ? GROUP BY vendor, environment ORDER BY vendor, environment`);
  const overview = (org: string, now: number): Overview => {
    const totals = Object.fromEntries(counters.all().map(({ name, value }) => [name, value]));
    return {
      events: {
        total: totals.events ?? 0,
        unmatched: totals.unmatched ?? 0,
        ignored: totals.ignored ?? 0,
        conflicts: totals.conflicts ?? 0,
      },
      invites: invitesOf.get(org) ?? 0,
      connections: connectionsOf.all(org).map((row) => {
        const counts = Object.fromEntries(countsOf.all(row.id).map(({ state, n }) => [state, n]));
        return {
          connection: connectionOf(row),
          pushes: {
            pending: counts.pending ?? 0,
            delivered: counts.delivered ?? 0,
            rejected: counts.rejected ?? 0,
            held: counts.held ?? 0,
          },
        };
      }),
      questions: questionsOf.all(org),
      consents: consentsOf(org, now),
    };
  };

  const pendingSince = db
    .prepare<[number, number], number>(
      "SELECT count(*) FROM pushes WHERE connection_id = ? AND state = 'pending' AND pending_since < ?",
    )
    .pluck();
  const oldestPending = db.prepare<[number, number], { alone: number | null; failing: number | null }>(`
    SELECT sum(alone) AS alone, sum(alone = 0 AND tries >= ${MAX_TRIES}) AS failing FROM (
      SELECT alone, tries FROM pushes WHERE connection_id = ? AND state = 'pending' AND pending_since < ?
      ORDER BY pending_since LIMIT ${LOOKED_AT})`);
  const heldSlice = db.prepare<object, { last: number | null; n: number | null }>(`
    SELECT max(id) AS last, sum(pending_since < @before) AS n FROM (
      SELECT id, pending_since FROM pushes
      WHERE connection_id = @connectionId AND state = 'held' AND held_cause = @cause AND id > @after
      ORDER BY id LIMIT ${LOOKED_AT})`);
  function* heldSince(connectionId: number, cause: HeldCause, before: number): Sliced<number> {
    let total = 0;
    let after = 0;
    for (;;) {
      const slice = heldSlice.get({ connectionId, cause, before, after });
      if (!slice || slice.last === null) return total;
      total += slice.n ?? 0;
      after = slice.last;
      yield;
    }
  }
  function* stuck(connectionId: number, now: number): Sliced<StuckCounts> {
    const before = now - STUCK_AFTER_MS;
    const pending = pendingSince.get(connectionId, before) ?? 0;
    const oldest = oldestPending.get(connectionId, before);
    const [alone, failing] = [oldest?.alone ?? 0, oldest?.failing ?? 0];
    return {
      waiting: pending - alone - failing,
      failing,
      alone,
      property: yield* heldSince(connectionId, "property", before),
      scope: yield* heldSince(connectionId, "scope", before),
    };
  }

  const orgs = db
    .prepare<[], string>(
      "SELECT org FROM connections UNION SELECT org FROM invite_counts WHERE n > 0 UNION SELECT org FROM consents UNION SELECT org FROM questions",
    )
    .pluck();

  return { invites, invite, overview, stuck, orgs: () => orgs.all() };
}

interface InviteRow {
  id: number;
  org: string;
  contact: string;
  assessment: string | null;
  state_version: number;
  state: string;
}

interface EventRow {
  source: string;
  event_id: string;
  type: string;
  at: number;
  received_at: number;
  conflict: number;
}
