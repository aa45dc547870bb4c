import { addressesIn } from "../../../core/erasure.ts";
import { emailKey } from "../../../core/event.ts";
import type { PeoplePage } from "../../contract/erasure.ts";
import { inviteOf } from "../../rows/rows.ts";
import type { Sql } from "../../../postgres/sql.ts";
import { orgIn } from "./tables.ts";

const ROWS = 500;
const STAGES = ["invites", "subjects", "alone"] as const;

type People = PeoplePage["people"];
type Page = { people: People; last: number | null };

/** Everybody whose name stands in the log: of invites first, then of what vendors were told, then in events of no invite. */
export async function peopleAfter(sql: Sql, after: string | null): Promise<PeoplePage> {
  const [name = "invites", number = "0"] = after?.split("/") ?? [];
  const stage = STAGES.find((each) => each === name) ?? "invites";
  const { people, last } = await PAGES[stage](sql, Number(number));
  const following = STAGES[STAGES.indexOf(stage) + 1];
  const next = last !== null ? `${stage}/${last}` : following === undefined ? null : `${following}/0`;
  return { people, next };
}

const PAGES: Readonly<Record<(typeof STAGES)[number], (sql: Sql, after: number) => Promise<Page>>> = {
  invites: async (sql, after) => {
    const rows = await sql.all<{ id: number; state: string }>(
      `SELECT id, state FROM jc.invites WHERE id > $1 ORDER BY id LIMIT ${ROWS}`,
      [after],
    );
    return paged(rows, ({ state }) => {
      const { org, invitationId, candidate, origin } = inviteOf(state);
      const known = origin && { vendor: origin.vendor, candidateId: origin.candidateId };
      return [{ org, address: emailKey(candidate.email), invitationId, candidate: known }];
    });
  },
  subjects: async (sql, after) => {
    const rows = await sql.all<{ id: number; org: string; subject: string }>(
      `SELECT p.id, c.org, p.subject FROM jc.pushes p JOIN jc.connections c ON c.id = p.connection_id
        WHERE p.id > $1 AND c.subject_kind = 'contact' ORDER BY p.id LIMIT ${ROWS}`,
      [after],
    );
    return paged(rows, ({ org, subject }) => [
      { org, address: subject, invitationId: null, candidate: null },
    ]);
  },
  alone: async (sql, after) => {
    const rows = await sql.all<{ id: number; org: string | null; payload: string }>(
      `SELECT e.seq AS id, c.org, e.payload
        FROM jc.events e LEFT JOIN jc.confirmations c ON c.seq = e.seq
        WHERE e.seq > $1 AND e.invite_id IS NULL ORDER BY e.seq LIMIT ${ROWS}`,
      [after],
    );
    return paged(rows, ({ org: known, payload }) => {
      const org = known ?? orgIn(payload);
      if (org === null) return [];
      return addressesIn(payload).map((address) => ({ org, address, invitationId: null, candidate: null }));
    });
  },
};

function paged<Row extends { id: number }>(rows: readonly Row[], read: (row: Row) => People): Page {
  return { people: rows.flatMap(read), last: rows.length < ROWS ? null : (rows.at(-1)?.id ?? null) };
}
