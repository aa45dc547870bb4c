import type { NewEvent } from "../../../core/event.ts";
import type { Invite } from "../../../core/invite.ts";
import { raisesPush, subjectOf } from "../../../core/subject.ts";
import { NO_CONTACT } from "../../rows/rows.ts";
import type { Sql } from "../server/sql.ts";

/** An invite as a transaction leaves it. */
export interface InviteInHand {
  /** Null until its row is there. */
  id: number | null;
  invite: Invite;
  contact: string;
  /** `saved`: a new state, under a version of its own; `kept`: the same state, with other words beside it. */
  change: "none" | "kept" | "saved";
  /** Of its last saving, counted from 1 within the transaction; 0 where it was not saved. */
  turn: number;
}

/** Gives each new one its id. `versionOf` a turn. */
export async function writeInvites(
  tx: Sql,
  all: readonly InviteInHand[],
  versionOf: (turn: number) => number,
): Promise<void> {
  const fresh = all.filter(({ id, change }) => id === null && change === "saved");
  const moved = all.filter(({ id, change }) => id !== null && change === "saved");
  const kept = all.filter(({ change }) => change === "kept");
  if (fresh.length > 0) {
    const rows = await tx.all<{ id: number; org: string; invitation_id: string }>(
      `INSERT INTO jc.invites (org, invitation_id, contact, assessment, status, at, owed, state_version, state)
        SELECT * FROM ${GIVEN_INVITES} RETURNING id, org, invitation_id`,
      columnsOf(fresh, versionOf),
    );
    const ids = new Map(rows.map(({ id, org, invitation_id: invitation }) => [`${org}\0${invitation}`, id]));
    for (const each of fresh) each.id = ids.get(`${each.invite.org}\0${each.invite.invitationId}`) ?? null;
  }
  if (moved.length > 0)
    await tx.run(
      `UPDATE jc.invites i SET contact = n.contact, assessment = n.assessment, status = n.status, at = n.at, owed = n.owed,
        state_version = n.state_version, state = n.state FROM ${GIVEN_INVITES}
        WHERE i.org = n.org AND i.invitation_id = n.invitation_id`,
      columnsOf(moved, versionOf),
    );
  if (kept.length > 0)
    await tx.run(
      `UPDATE jc.invites i SET state = n.state FROM unnest($1::bigint[], $2::text[]) AS n (id, state)
        WHERE i.id = n.id AND i.state <> n.state`,
      [kept.map(({ id }) => id), kept.map(({ invite }) => JSON.stringify(invite))],
    );
}

const GIVEN_INVITES = `unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::integer[], $8::bigint[], $9::text[])
  AS n (org, invitation_id, contact, assessment, status, at, owed, state_version, state)`;

function columnsOf(some: readonly InviteInHand[], versionOf: (turn: number) => number): unknown[][] {
  return [
    some.map(({ invite }) => invite.org),
    some.map(({ invite }) => invite.invitationId),
    some.map(({ contact }) => contact),
    some.map(({ invite }) => subjectOf("assessment", invite)),
    some.map(({ invite }) => invite.status),
    some.map(({ invite }) => invite.at),
    some.map(({ contact, invite }) =>
      Number(contact !== NO_CONTACT && raisesPush("contact", invite, { pushedBefore: false })),
    ),
    some.map(({ turn }) => versionOf(turn)),
    some.map(({ invite }) => JSON.stringify(invite)),
  ];
}

/** Returns their numbers, in their order. */
export async function writeEvents(
  tx: Sql,
  stored: readonly { event: NewEvent; conflict: boolean; invite: InviteInHand | null }[],
): Promise<number[]> {
  if (stored.length === 0) return [];
  const rows = await tx.all<{ seq: number }>(
    `INSERT INTO jc.events (source, event_id, body_hash, type, at, received_at, conflict, invite_id, payload)
      SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::bigint[], $6::bigint[], $7::integer[], $8::bigint[], $9::text[])
      RETURNING seq`,
    [
      stored.map(({ event }) => event.source),
      stored.map(({ event }) => event.eventId),
      stored.map(({ event }) => Buffer.from(event.bodyHash, "hex")),
      stored.map(({ event }) => event.type),
      stored.map(({ event }) => event.at),
      stored.map(({ event }) => event.receivedAt),
      stored.map(({ conflict }) => Number(conflict)),
      stored.map(({ invite }) => invite?.id ?? null),
      stored.map(({ event }) => event.payload),
    ],
  );
  return rows.map(({ seq }) => seq);
}
