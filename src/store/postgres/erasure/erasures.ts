import { scrubbed } from "../../../core/erasure.ts";
import type { Erased, EraseRequest, ErasureVerbs, KeptErasure, Person } from "../../contract/erasure.ts";
import { hasMore, type LookedThrough, type MentionsByTable, together } from "../../rows/theirs.ts";
import type { Db, Sql } from "../../../postgres/sql.ts";
import { findMentions, lastOfAll } from "./mentions.ts";
import { peopleAfter } from "./people.ts";
import { addressesOf, findPerson } from "./person.ts";
import { counted, rowsOf, whole } from "./rows-of.ts";
import { takeOut } from "./take-out.ts";

/** The verbs about one person. */
export function createErasureVerbs(db: Db): ErasureVerbs {
  const rowsOfPerson = async (org: string, address: string) => {
    const { addresses, found } = await look(db.read, org, address);
    const theirs = await findPerson(db.read, { org, addresses }, found);
    return { theirs, rows: await rowsOf(db.read, org, theirs) };
  };
  return {
    person: async (org, address) => {
      const { theirs, rows } = await rowsOfPerson(org, address);
      return { ...theirs.person, rows: counted(rows) };
    },
    personRows: async (org, address) => whole((await rowsOfPerson(org, address)).rows),
    erase: async (request) => {
      // Numbers are given before the commit: one that is seen late may be lower than one that was seen before.
      const until = await db.write("all", lastOfAll);
      const { found } = await look(db.read, request.org, request.address);
      return await db.write("all", (tx) => erase(tx, request, { found, until }));
    },
    erasedAt: async (mark) => {
      const row = await db.read.get<{ at: number }>("SELECT at FROM jc.erasures WHERE mark = $1", [
        Buffer.from(mark, "hex"),
      ]);
      return row?.at ?? null;
    },
    allowAgain: ({ mark, org, who, now }) =>
      db.write("all", async (tx) => {
        const lifted = await tx.run("DELETE FROM jc.erasures WHERE person = $1", [Buffer.from(mark, "hex")]);
        if (lifted > 0) await note(tx, { org, who, now }, { what: "erase --allow", about: "a person" });
        return lifted > 0;
      }),
    bytesDue: async () =>
      (await db.read.get("SELECT 1 FROM jc.erasures WHERE bytes_due <> 0 LIMIT 1")) !== undefined,
    leasesOpen: async (leases) => {
      const row = await db.read.get<{ n: number }>(
        "SELECT count(*) AS n FROM jc.leases WHERE id = ANY ($1::bigint[])",
        [leases],
      );
      return row?.n ?? 0;
    },
    people: (after) => peopleAfter(db.read, after),
    erasures: async () => {
      const rows = await db.read.all<{ mark: Buffer; person: Buffer; at: number }>(
        "SELECT mark, person, at FROM jc.erasures",
      );
      return rows.map(({ mark, person, at }) => ({
        mark: mark.toString("hex"),
        person: person.toString("hex"),
        at,
      }));
    },
    keepErasures: (kept) => db.write("all", (tx) => keep(tx, kept)),
  };
}

interface Seen {
  found: MentionsByTable;
  /** All up to there was committed before they were looked for. */
  until: LookedThrough;
}

async function look(
  sql: Sql,
  org: string,
  address: string,
): Promise<{ addresses: string[]; found: MentionsByTable }> {
  const addresses = await addressesOf(sql, org, address);
  return { addresses, found: await findMentions(sql, { org, addresses }) };
}

async function erase(tx: Sql, request: EraseRequest, { found, until }: Seen): Promise<Erased> {
  const { org, address, known } = request;
  // What came since the texts were looked through is little, and looked through now.
  const addresses = await addressesOf(tx, org, address);
  const since = await findMentions(tx, { org, addresses }, until);
  const theirs = await findPerson(tx, { org, addresses }, together(found, since));
  const person: Person = { ...theirs.person, rows: counted(await rowsOf(tx, org, theirs)) };
  if (hasMore(person, known)) return { kind: "has more names", person };
  const leases = await takeOut(tx, org, { theirs, scrub: (text) => scrubbed(text, addresses) });
  await keep(tx, [request]);
  const rows = Object.entries(person.rows).map(([table, n]) => `${table} ${n}`);
  const about = `a person: ${rows.join(", ") || "nothing held"}`;
  await note(tx, request, { what: "erase", about });
  return { kind: "erased", rows: person.rows, leases };
}

/** The bytes of what is gone are the database's affair: none are due here. */
async function keep(tx: Sql, kept: readonly KeptErasure[]): Promise<number> {
  const marks = kept.flatMap(({ marks, ...of }) => marks.map((mark) => ({ ...of, mark })));
  if (marks.length === 0) return 0;
  return await tx.run(
    `INSERT INTO jc.erasures (mark, person, org, at, bytes_due)
      SELECT DISTINCT ON (mark) mark, person, org, at, 0
      FROM unnest($1::bytea[], $2::bytea[], $3::text[], $4::bigint[]) AS n (mark, person, org, at) ON CONFLICT DO NOTHING`,
    [
      marks.map(({ mark }) => Buffer.from(mark, "hex")),
      marks.map(({ person }) => Buffer.from(person, "hex")),
      marks.map(({ org }) => org),
      marks.map(({ at }) => at),
    ],
  );
}

/** For the record: who did it, when, and how many rows; not whom it is about. */
async function note(
  tx: Sql,
  { org, who, now }: Pick<EraseRequest, "org" | "who" | "now">,
  { what, about }: { what: string; about: string },
): Promise<void> {
  await tx.run("INSERT INTO jc.audit (at, org, who, what, about) VALUES ($1, $2, $3, $4, $5)", [
    now,
    org,
    who,
    what,
    about,
  ]);
}
