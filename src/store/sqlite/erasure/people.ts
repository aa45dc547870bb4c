import { addressesIn } from "../../../core/erasure.ts";
import { emailKey } from "../../../core/event.ts";
import type { PeoplePage } from "../../contract/erasure.ts";
import type { Db } from "../file/db.ts";
import { inviteOf } from "../../rows/rows.ts";

const ROWS = 500;

/** Everybody whose name stands in the log: of invites first, then of what vendors were told, then in events of no invite. */
export function createPeople(db: Db): (after: string | null) => PeoplePage {
  const invites = db.prepare<[number], { id: number; state: string }>(
    `SELECT id, state FROM invites WHERE id > ? ORDER BY id LIMIT ${ROWS}`,
  );
  const subjects = db.prepare<[number], { id: number; org: string; subject: string }>(`
    SELECT p.id, c.org, p.subject FROM pushes p JOIN connections c ON c.id = p.connection_id
    WHERE p.id > ? AND c.subject_kind = 'contact' ORDER BY p.id LIMIT ${ROWS}`);
  const alone = db.prepare<[number], { id: number; org: string | null; payload: string }>(`
    SELECT e.seq AS id, coalesce(c.org, iif(json_valid(payload), json_extract(payload, '$.data.org'), NULL)) AS org, payload
    FROM events e LEFT JOIN confirmations c ON c.seq = e.seq
    WHERE e.seq > ? AND e.invite_id IS NULL ORDER BY e.seq LIMIT ${ROWS}`);
  type People = PeoplePage["people"];
  const stages: Record<string, (after: number) => { people: People; last: number | null }> = {
    invites: (after) =>
      paged(invites.all(after), ({ state }) => {
        const { org, invitationId, candidate, origin } = inviteOf(state);
        const known = origin && { vendor: origin.vendor, candidateId: origin.candidateId };
        return [{ org, address: emailKey(candidate.email), invitationId, candidate: known }];
      }),
    subjects: (after) =>
      paged(subjects.all(after), ({ org, subject }) => [
        { org, address: subject, invitationId: null, candidate: null },
      ]),
    alone: (after) =>
      paged(alone.all(after), ({ org, payload }) =>
        org === null
          ? []
          : addressesIn(payload).map((address) => ({ org, address, invitationId: null, candidate: null })),
      ),
  };
  const names = Object.keys(stages);
  return (after) => {
    const [name = "invites", number = "0"] = after?.split("/") ?? [];
    const { people, last } = stages[name]?.(Number(number)) ?? { people: [], last: null };
    const following = names[names.indexOf(name) + 1];
    const next = last !== null ? `${name}/${last}` : following === undefined ? null : `${following}/0`;
    return { people, next };
  };
}

function paged<Row extends { id: number }>(rows: readonly Row[], read: (row: Row) => PeoplePage["people"]) {
  return { people: rows.flatMap(read), last: rows.length < ROWS ? null : (rows.at(-1)?.id ?? null) };
}
