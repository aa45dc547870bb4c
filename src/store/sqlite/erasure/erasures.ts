import { scrubbed } from "../../../core/erasure.ts";
import type { Erased, EraseRequest, KeptErasure, Person, PersonRows } from "../../contract/erasure.ts";
import type { Db } from "../file/db.ts";
import type { Sliced } from "../file/slices.ts";
import { transaction } from "../file/transaction.ts";
import {
  hasMore,
  type LookedThrough,
  type MentionsByTable,
  type Theirs,
  together,
} from "../../rows/theirs.ts";
import { createFindMentions } from "./mentions.ts";
import { createPeople } from "./people.ts";
import { createAddressesOf, createFindPerson } from "./person.ts";
import { createTakeOut } from "./take-out.ts";
import { createRowsOf } from "./rows-of.ts";

/** The verbs about one person. */
export function createErasureVerbs(db: Db) {
  const findMentions = createFindMentions(db);
  const findPerson = createFindPerson(db);
  const addressesOf = createAddressesOf(db);
  const rowsOf = createRowsOf(db);
  const takeOut = createTakeOut(db);
  const keep = createKeep(db);

  function* look(
    org: string,
    address: string,
  ): Sliced<{ theirs: Theirs; until: LookedThrough; found: MentionsByTable }> {
    const addresses = addressesOf(org, address);
    const { found, until } = yield* findMentions(org, addresses);
    return { theirs: findPerson(org, addresses, found), until, found };
  }
  const personOf = (org: string, theirs: Theirs): Person => ({
    ...theirs.person,
    rows: rowsOf.counts(org, theirs),
  });

  return {
    *person(org: string, address: string): Sliced<Person> {
      return personOf(org, (yield* look(org, address)).theirs);
    },
    *personRows(org: string, address: string): Sliced<PersonRows> {
      return rowsOf.whole(org, (yield* look(org, address)).theirs);
    },
    *erase(request: EraseRequest): Sliced<Erased> {
      const { org, address, known } = request;
      const { found, until } = yield* look(org, address);
      return transaction(db, (): Erased => {
        // What came since the texts were looked through is little, and looked through now.
        const addresses = addressesOf(org, address);
        const since = finishedNow(findMentions(org, addresses, until)).found;
        const theirs = findPerson(org, addresses, together(found, since));
        const person = personOf(org, theirs);
        if (hasMore(person, known)) return { kind: "has more names", person };
        const leases = takeOut(org, theirs, (text) => scrubbed(text, addresses));
        keep([request], { isDue: Object.keys(person.rows).length > 0 });
        noteErasure(db, request, person.rows);
        return { kind: "erased", rows: person.rows, leases };
      })();
    },
    ...createLooks(db),
    people: createPeople(db),
    keepErasures: transaction(db, (kept: readonly KeptErasure[]) => keep(kept, { isDue: false })),
  };
}

/** All at once: within a write transaction nobody goes in between. */
function finishedNow<Result>(work: Sliced<Result>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** Part of a write transaction. */
function createKeep(db: Db): (kept: readonly KeptErasure[], options: { isDue: boolean }) => number {
  const insert = db.prepare(`
    INSERT INTO erasures (mark, person, org, at, bytes_due) VALUES (@mark, @person, @org, @at, @due)
    ON CONFLICT DO UPDATE SET bytes_due = 1 WHERE excluded.bytes_due = 1`);
  return (kept, { isDue }) => {
    let n = 0;
    for (const { org, person, at, marks } of kept) {
      const of = Buffer.from(person, "hex");
      for (const mark of marks)
        n += insert.run({ mark: Buffer.from(mark, "hex"), person: of, org, at, due: Number(isDue) }).changes;
    }
    return n;
  };
}

/** For the record: who erased somebody, when, and how many rows; not whom. */
function noteErasure(db: Db, { org, who, now }: EraseRequest, rows: Person["rows"]): void {
  const counted = Object.entries(rows).map(([table, n]) => `${table} ${n}`);
  db.prepare("INSERT INTO audit (at, org, who, what, about) VALUES (?, ?, ?, 'erase', ?)").run(
    now,
    org,
    who,
    `a person: ${counted.join(", ") || "nothing held"}`,
  );
}

function createLooks(db: Db) {
  const erasedAt = db.prepare<[Buffer], number>("SELECT at FROM erasures WHERE mark = ?").pluck();
  const forget = db.prepare("DELETE FROM erasures WHERE person = ?");
  const due = db.prepare<[], number>("SELECT 1 FROM erasures WHERE bytes_due <> 0 LIMIT 1").pluck();
  const open = db
    .prepare<[string], number>("SELECT count(*) FROM leases WHERE id IN (SELECT value FROM json_each(?))")
    .pluck();
  const note = db.prepare(
    "INSERT INTO audit (at, org, who, what, about) VALUES (@now, @org, @who, 'erase --allow', 'a person')",
  );
  const all = db.prepare<[], { mark: Buffer; person: Buffer; at: number }>(
    "SELECT mark, person, at FROM erasures",
  );
  return {
    erasures: () =>
      all
        .all()
        .map(({ mark, person, at }) => ({ mark: mark.toString("hex"), person: person.toString("hex"), at })),
    erasedAt: (mark: string): number | null => erasedAt.get(Buffer.from(mark, "hex")) ?? null,
    allowAgain: transaction(
      db,
      ({ mark, org, who, now }: { mark: string; org: string; who: string; now: number }) => {
        const isLifted = forget.run(Buffer.from(mark, "hex")).changes > 0;
        if (isLifted) note.run({ org, who, now });
        return isLifted;
      },
    ),
    bytesDue: (): boolean => due.get() !== undefined,
    leasesOpen: (leases: readonly number[]): number => open.get(JSON.stringify(leases)) ?? 0,
  };
}
