import type { Person, PersonRows } from "../../contract/erasure.ts";
import { ERASURE_RULES } from "../../rows/erasure-rules.ts";
import { summed, type Theirs } from "../../rows/theirs.ts";
import type { Sql } from "../../../postgres/sql.ts";
import { isRow } from "./tables.ts";

const BY_NUMBERS = [
  { table: "events", of: "events", where: "seq" },
  { table: "confirmations", of: "events", where: "seq" },
  { table: "questions", of: "events", where: "seq" },
  { table: "invites", of: "invites", where: "id" },
  { table: "pushes", of: "pushes", where: "id" },
  { table: "attempts", of: "pushes", where: "push_id" },
] as const;

const OF_CANDIDATE = `t.org = $1 AND (t.vendor, t.candidate_id) IN (SELECT * FROM unnest($2::text[], $3::text[]))`;

/** A person's rows, by table; a table may come twice, by another road. */
export async function rowsOf(
  sql: Sql,
  org: string,
  theirs: Theirs,
): Promise<[string, Record<string, unknown>[]][]> {
  const all: [string, Record<string, unknown>[]][] = [];
  for (const { table, of, where } of BY_NUMBERS)
    all.push([
      table,
      await sql.all(`SELECT * FROM jc.${table} WHERE ${where} = ANY ($1::bigint[])`, [theirs[of]]),
    ]);
  const { addresses, candidates } = theirs.person;
  const ofCandidates = [
    org,
    candidates.map(({ vendor }) => vendor),
    candidates.map(({ candidateId }) => candidateId),
  ];
  all.push(
    [
      "forgotten",
      await sql.all("SELECT * FROM jc.forgotten WHERE org = $1 AND contact = ANY ($2::text[])", [
        org,
        addresses,
      ]),
    ],
    ["trials", await sql.all(`SELECT * FROM jc.trials t WHERE ${OF_CANDIDATE}`, ofCandidates)],
    [
      "invite_requests",
      await sql.all(`SELECT * FROM jc.invite_requests t WHERE ${OF_CANDIDATE}`, ofCandidates),
    ],
    [
      "request_attempts",
      await sql.all(
        `SELECT a.* FROM jc.request_attempts a JOIN jc.invite_requests t ON t.id = a.request_id WHERE ${OF_CANDIDATE}`,
        ofCandidates,
      ),
    ],
  );
  for (const [table, rows] of theirs.named) all.push([table, await wholeRows(sql, table, rows)]);
  return all;
}

async function wholeRows(
  sql: Sql,
  table: string,
  rows: readonly Readonly<Record<string, unknown>>[],
): Promise<Record<string, unknown>[]> {
  const key = ERASURE_RULES[table]?.key ?? [];
  const whole = new Map<string, Record<string, unknown>>();
  for (const row of rows)
    for (const each of await sql.all<Record<string, unknown>>(
      `SELECT * FROM jc.${table} t WHERE ${isRow({ key }, 1)}`,
      key.map((name) => row[name]),
    ))
      whole.set(JSON.stringify(each), each);
  return [...whole.values()];
}

export function counted(rows: readonly [string, readonly unknown[]][]): Person["rows"] {
  return summed(rows.map(([table, each]): [string, number] => [table, each.length]));
}

export function whole(rows: readonly [string, Record<string, unknown>[]][]): PersonRows {
  const all: Record<string, Readonly<Record<string, unknown>>[]> = {};
  for (const [table, each] of rows) if (each.length > 0) all[table] = [...(all[table] ?? []), ...each];
  return all;
}
