import type { Person, PersonRows } from "../../contract/erasure.ts";
import type { Db } from "../file/db.ts";
import { summed, type Theirs } from "../../rows/theirs.ts";
import { ERASURE_RULES } from "../../rows/erasure-rules.ts";

/** A person's rows, counted and whole. */
export function createRowsOf(db: Db) {
  const among = "(SELECT value FROM json_each(?))";
  const byNumbers = {
    events: { of: "events", where: `seq IN ${among}` },
    confirmations: { of: "events", where: `seq IN ${among}` },
    questions: { of: "events", where: `seq IN ${among}` },
    invites: { of: "invites", where: `id IN ${among}` },
    pushes: { of: "pushes", where: `id IN ${among}` },
    attempts: { of: "pushes", where: `push_id IN ${among}` },
  } as const;
  const queries = Object.entries(byNumbers).map(([table, { of, where }]) => ({
    table,
    of,
    count: db.prepare<[string], number>(`SELECT count(*) FROM ${table} WHERE ${where}`).pluck(),
    all: db.prepare<[string], Record<string, unknown>>(`SELECT * FROM ${table} WHERE ${where}`),
  }));
  const ofCandidate = `org = ? AND json_object('vendor', vendor, 'candidateId', candidate_id) IN ${among}`;
  const byName = [
    {
      table: "forgotten",
      query: db.prepare<[string, string], Record<string, unknown>>(
        `SELECT * FROM forgotten WHERE org = ? AND contact IN ${among}`,
      ),
      of: ({ addresses }: Theirs["person"]) => JSON.stringify(addresses),
    },
    {
      table: "trials",
      query: db.prepare<[string, string], Record<string, unknown>>(`
        SELECT * FROM trials WHERE ${ofCandidate}`),
      of: ({ candidates }: Theirs["person"]) => JSON.stringify(candidates),
    },
    {
      table: "invite_requests",
      query: db.prepare<[string, string], Record<string, unknown>>(
        `SELECT * FROM invite_requests WHERE ${ofCandidate}`,
      ),
      of: ({ candidates }: Theirs["person"]) => JSON.stringify(candidates),
    },
    {
      table: "request_attempts",
      query: db.prepare<[string, string], Record<string, unknown>>(
        `SELECT * FROM request_attempts WHERE request_id IN (SELECT id FROM invite_requests WHERE ${ofCandidate})`,
      ),
      of: ({ candidates }: Theirs["person"]) => JSON.stringify(candidates),
    },
  ];
  const named = new Map(
    Object.entries(ERASURE_RULES).map(([table, { key }]) => [
      table,
      db.prepare<unknown[], Record<string, unknown>>(
        `SELECT * FROM ${table} WHERE ${key.map((name) => `${name} IS ?`).join(" AND ")}`,
      ),
    ]),
  );
  const namedRows = (theirs: Theirs) =>
    [...theirs.named].map(([table, rows]): [string, Record<string, unknown>[]] => {
      const key = ERASURE_RULES[table]?.key ?? [];
      const whole = rows.flatMap((row) => named.get(table)?.all(...key.map((name) => row[name])) ?? []);
      return [table, [...new Map(whole.map((row) => [JSON.stringify(row), row])).values()]];
    });

  return {
    counts: (org: string, theirs: Theirs): Person["rows"] =>
      summed([
        ...queries.map(({ table, of, count }): [string, number] => [
          table,
          count.get(JSON.stringify(theirs[of])) ?? 0,
        ]),
        ...byName.map(({ table, query, of }): [string, number] => [
          table,
          query.all(org, of(theirs.person)).length,
        ]),
        ...namedRows(theirs).map(([table, rows]): [string, number] => [table, rows.length]),
      ]),
    whole: (org: string, theirs: Theirs): PersonRows => {
      const all: Record<string, Readonly<Record<string, unknown>>[]> = {};
      const add = (table: string, rows: readonly Record<string, unknown>[]) => {
        if (rows.length > 0) all[table] = [...(all[table] ?? []), ...rows];
      };
      for (const { table, of, all: rows } of queries) add(table, rows.all(JSON.stringify(theirs[of])));
      for (const { table, query, of } of byName) add(table, query.all(org, of(theirs.person)));
      for (const [table, rows] of namedRows(theirs)) add(table, rows);
      return all;
    },
  };
}
