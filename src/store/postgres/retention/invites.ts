import { type Forgotten, forgottenWith } from "../../../core/forgotten.ts";
import { forgottenOf, inviteOf, NO_CONTACT } from "../../rows/rows.ts";
import { tombstoneRowOf } from "../../rows/tombstones.ts";
import type { Sql } from "../../../postgres/sql.ts";
import { membersOf, staysAfter } from "./stays.ts";
import { noteRemoved, type PurgeTable } from "./step.ts";

/** Invites in one step; mostly each has three events. */
const LOOKED_AT = 100;
const REMOVED = 50;
/** Events in one step: one invite with very many of them takes several. */
const EVENTS = 2_000;

interface OldInvite {
  id: number;
  at: number;
  contact: string;
  state: string;
  stays: boolean;
  events: number;
}

interface Place {
  org: string;
  at: number;
  id: number;
}

/** Org by org, the longest unheard of first. */
export const purgeInvites: PurgeTable = async (tx, { after, isDry, cutoffOf, now }) => {
  const place: Place | null = after === null ? await beginningAfter(tx, "") : JSON.parse(after);
  if (place === null) return { removed: {}, next: null };
  const { org } = place;
  const rows = await tx.all<OldInvite>(
    `SELECT i.id, i.at, i.contact, i.state, ${staysAfter("$2")} AS stays,
      (SELECT count(*) FROM jc.events WHERE invite_id = i.id) AS events
      FROM jc.invites i WHERE i.org = $1 AND i.at < $2 AND (i.at, i.id) > ($3, $4) ORDER BY i.at, i.id LIMIT ${LOOKED_AT}`,
    [org, cutoffOf(org), place.at, place.id],
  );
  const going: OldInvite[] = [];
  let events = 0;
  let last: Pick<OldInvite, "at" | "id"> = place;
  for (const row of rows) {
    const isFull = going.length === REMOVED || (going.length > 0 && events + row.events > EVENTS);
    if (isFull) break;
    if (!row.stays) {
      // The rest of its events goes with the next steps.
      if (!isDry && row.events > EVENTS)
        return await removeSomeEvents(tx, row, after ?? JSON.stringify(place));
      going.push(row);
      events += row.events;
    }
    last = row;
  }
  if (!isDry) {
    await removeInvites(tx, org, going);
    await noteRemoved(tx, { org, what: "invites", n: going.length, now });
  }
  const isThrough = rows.length < LOOKED_AT && last.id === (rows.at(-1)?.id ?? last.id);
  const next = isThrough ? await beginningAfter(tx, org) : { org, at: last.at, id: last.id };
  return { removed: { invites: going.length, events }, next: next && JSON.stringify(next) };
};

async function beginningAfter(tx: Sql, org: string): Promise<Place | null> {
  const row = await tx.get<{ org: string | null }>("SELECT min(org) AS org FROM jc.invites WHERE org > $1", [
    org,
  ]);
  return row?.org == null ? null : { org: row.org, at: Number.MIN_SAFE_INTEGER, id: 0 };
}

async function removeSomeEvents(tx: Sql, { id }: OldInvite, place: string) {
  const some = await tx.all<{ seq: number }>(
    `SELECT seq FROM jc.events WHERE invite_id = $1 ORDER BY seq LIMIT ${EVENTS}`,
    [id],
  );
  const events = await removeEvents(
    tx,
    some.map(({ seq }) => seq),
  );
  return { removed: { events }, next: place };
}

/** With what vendors said of them, and what they are to be asked. Returns how many events that were. */
export async function removeEvents(tx: Sql, seqs: readonly number[]): Promise<number> {
  if (seqs.length === 0) return 0;
  await tx.run("DELETE FROM jc.confirmations WHERE seq = ANY ($1::bigint[])", [seqs]);
  await tx.run("DELETE FROM jc.questions WHERE seq = ANY ($1::bigint[])", [seqs]);
  return await tx.run("DELETE FROM jc.events WHERE seq = ANY ($1::bigint[])", [seqs]);
}

/** Each leaves its tombstone, and what its contact's other invites must not say any more. */
async function removeInvites(tx: Sql, org: string, going: readonly OldInvite[]): Promise<void> {
  if (going.length === 0) return;
  const ids = going.map(({ id }) => id);
  const seqs = await tx.all<{ seq: number }>(
    "SELECT seq FROM jc.events WHERE invite_id = ANY ($1::bigint[])",
    [ids],
  );
  await removeEvents(
    tx,
    seqs.map(({ seq }) => seq),
  );
  const graves = going.map(({ state }) => tombstoneRowOf(inviteOf(state)));
  await tx.run(
    `INSERT INTO jc.tombstones (invite, at, completed, status, body, earliest_at)
      SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::integer[], $4::integer[], $5::bytea[], $6::bigint[])
      ON CONFLICT (invite) DO UPDATE SET at = excluded.at, completed = excluded.completed, status = excluded.status,
        body = excluded.body, earliest_at = excluded.earliest_at`,
    [
      graves.map(({ invite }) => invite),
      graves.map(({ at }) => at),
      graves.map(({ completed }) => completed),
      graves.map(({ status }) => status),
      graves.map(({ body }) => body),
      graves.map(({ earliest_at: earliestAt }) => earliestAt),
    ],
  );
  await tx.run("DELETE FROM jc.invites WHERE id = ANY ($1::bigint[])", [ids]);
  await forget(
    tx,
    org,
    going.filter(({ contact }) => contact !== NO_CONTACT),
  );
}

async function forget(tx: Sql, org: string, gone: readonly OldInvite[]): Promise<void> {
  const contacts = [...new Set(gone.map(({ contact }) => contact))];
  if (contacts.length === 0) return;
  const rows = await tx.all<{ contact: string; facts: string | null; lives: boolean }>(
    `SELECT n.contact, f.facts,
      EXISTS (SELECT 1 FROM jc.invites v WHERE v.org = $1 AND v.contact = n.contact)
        OR EXISTS (${membersOf("c.org = $1 AND p.subject = n.contact")}) AS lives
      FROM unnest($2::text[]) AS n (contact) LEFT JOIN jc.forgotten f ON f.org = $1 AND f.contact = n.contact`,
    [org, contacts],
  );
  const told = rows.flatMap(({ contact, facts, lives }) => {
    if (!lives) return [];
    const own = gone.filter((each) => each.contact === contact);
    const after = own.reduce<Forgotten | null>(
      (before, { state }) => forgottenWith(before, inviteOf(state)),
      forgottenOf(facts),
    );
    return after ? [{ contact, facts: JSON.stringify(after) }] : [];
  });
  const silent = contacts.filter((contact) => !told.some((each) => each.contact === contact));
  await tx.run("DELETE FROM jc.forgotten WHERE org = $1 AND contact = ANY ($2::text[])", [org, silent]);
  if (told.length > 0)
    await tx.run(
      `INSERT INTO jc.forgotten SELECT $1, contact, facts FROM unnest($2::text[], $3::text[]) AS n (contact, facts)
        ON CONFLICT (org, contact) DO UPDATE SET facts = excluded.facts`,
      [org, told.map(({ contact }) => contact), told.map(({ facts }) => facts)],
    );
}
